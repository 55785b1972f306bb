"""Jobs in the browser: found by state and filters, one with its runs, retried and cancelled by selection or all."""

from playwright.async_api import Page, expect

from ..conftest import Api
from .conftest import PHONE, Panel
from .watching import axe, overflow

JOBS = """
INSERT INTO jobs (consumer, event_id, queue, subject, status, trouble, error_class, last_error, attempts, created_at)
SELECT 'rewriter', $1 || n, 'rewrite_queue', 'post.collected', $2, nullif($2, 'succeeded'), $3,
       $3 || ': no answer from server ' || n, 5, now() - n * interval '1 minute' FROM generate_series(1, $4::int) AS n
"""
MESSAGES = """
INSERT INTO job_messages (consumer, event_id, payload, headers, sequence)
SELECT consumer, event_id, $1, '{"ce-id": "x"}', 7 FROM jobs WHERE event_id LIKE $2
"""


async def add(api: Api, name: str, status: str, number: int, error: str | None = None) -> None:
    await api.database.execute(JOBS, name, status, error, number)


async def states(page: Page) -> dict[str, str]:
    """What stands in the list of states."""
    lines = [line.split("\n") for line in await page.locator(".states li").all_inner_texts()]
    return {line[0].strip(): line[-1].strip() for line in lines if len(line) > 1}


async def test_jobs_are_found_and_those_chosen_are_retried(panel: Panel) -> None:
    await add(panel.api, "timeout-", "failed", 60, "TimeoutError")
    await add(panel.api, "other-", "failed", 3, "RuntimeError")
    await add(panel.api, "done-", "succeeded", 4)
    await panel.api.database.execute(MESSAGES, b'{"n": 1}', "other-%")
    page = await panel.visit("/jobs")
    assert await states(page) == {"Failed": "63", "Waiting": "0", "Running": "0", "Cancelled": "0", "Succeeded": "4"}
    await page.get_by_role("link", name="Failed 63").click()
    rows = page.locator(".line:not(.thead)")
    await expect(rows).to_have_count(50)
    await page.get_by_role("link", name="Older").click()
    await expect(rows).to_have_count(13)

    await page.get_by_role("searchbox", name="Text of the error").fill("runtimeerror")
    await expect(rows).to_have_count(3)
    await expect(page).to_have_url("/jobs?status=failed&error=runtimeerror")
    assert (await states(page))["Failed"] == "3"
    await expect(page.locator(".bulk-all")).to_contain_text("3 match:")
    await expect(page.locator(".bulk-chosen")).to_be_hidden()
    await rows.nth(0).get_by_role("checkbox").check()
    await rows.nth(1).get_by_role("checkbox").check()
    assert await axe(page) == []
    await page.get_by_role("button", name="Retry", exact=True).click()
    dialog = page.get_by_role("dialog", name="Do to many")
    await expect(dialog).to_contain_text("Retry 2 jobs?")
    await dialog.get_by_label("Why, for the others").fill("the server is back")
    await dialog.get_by_role("button", name="Retry all 2").click()

    await expect(page.get_by_role("heading", level=1)).to_have_text("Retry jobs")
    await expect(page.locator(".page-date")).to_have_text("done")
    await expect(page.locator(".figure")).to_have_text("2 of 2")
    await expect(page.locator(".facts")).to_contain_text("the server is back")
    await page.get_by_role("link", name="To the jobs").click()
    assert (await states(page))["Waiting"] == "2"
    assert len(await panel.api.emitted("post.collected", 2)) == 2


async def test_all_that_match_are_counted_and_discarded(panel: Panel) -> None:
    await add(panel.api, "timeout-", "failed", 130, "TimeoutError")
    await add(panel.api, "other-", "failed", 3, "RuntimeError")
    page = await panel.visit("/jobs?status=failed&error_class=TimeoutError", width=PHONE, language="ru")
    await expect(page.locator(".chips")).to_contain_text("TimeoutError")
    assert await overflow(page) == []
    await page.get_by_role("button", name="Списать все 130").click()
    dialog = page.get_by_role("dialog", name="Сделать со многими")
    await expect(dialog).to_contain_text("Отменить 130 заданий?")
    await expect(dialog.locator(".chips")).to_contain_text("TimeoutError")
    await page.get_by_role("link", name="Оставить").click()
    await expect(dialog).to_be_hidden()
    await page.get_by_role("button", name="Списать все 130").click()
    await dialog.get_by_role("button", name="Отменить все 130").click()
    await expect(page.locator(".page-date")).to_have_text("сделано")
    await expect(page.locator(".figure")).to_have_text("130 из 130")
    assert await overflow(page) == []
    counts = (await panel.api.http.get("/jobs/counts")).json()
    assert (counts["failed"], counts["cancelled"]) == (3, 130)


async def test_one_job_with_its_runs(panel: Panel) -> None:
    await add(panel.api, "a/b c-", "failed", 1, "TimeoutError")
    await panel.api.database.execute(MESSAGES, b'{"text": "what was asked"}', "a/b c-%")
    await panel.api.database.execute(
        "INSERT INTO job_attempts (consumer, event_id, attempt, started_at, outcome, error)"
        " SELECT 'rewriter', 'a/b c-1', n, now(), 'failed', 'TimeoutError: run ' || n FROM generate_series(1, 3) n"
    )
    page = await panel.visit("/jobs?status=failed")
    await page.get_by_role("link", name="rewriter a/b c-1").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("rewriter")
    await expect(page.locator(".runs li")).to_have_count(3)
    await expect(page.locator(".runs li").first).to_contain_text("TimeoutError: run 3")
    await expect(page.locator("#payload")).to_contain_text('"text": "what was asked"')
    assert await axe(page) == []
    await page.get_by_role("button", name="Retry").click()
    await expect(page.locator(".page-date")).to_have_text("waiting")
    await page.get_by_role("button", name="Cancel the job").click()
    await page.get_by_role("dialog").get_by_label("Why, for the others").fill("not needed any more")
    await page.get_by_role("dialog").get_by_role("button", name="Cancel the job").click()
    await expect(page.locator(".page-date")).to_have_text("cancelled")
    await expect(page.locator(".error-box")).to_have_text("cancelled by user:editor: not needed any more")

    await panel.api.database.execute("UPDATE jobs SET status = 'succeeded', trouble = NULL")
    panel.expect("status of 409")
    await page.get_by_role("button", name="Retry").click()
    await expect(page.locator("#toast")).to_contain_text("it has succeeded: it would be done twice")
