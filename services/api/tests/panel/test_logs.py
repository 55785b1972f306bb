"""Logs in the browser: what is said at this moment, and what was said."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from playwright.async_api import expect

from .conftest import PHONE, Panel
from .watching import axe, overflow

SAY = (
    "INSERT INTO log_records (at, service, level, event, post_id, job_id, trace_id, fields, searched)"
    " VALUES (coalesce($1::timestamptz, clock_timestamp()), $2, $3, $4::text, $5, $6, $7, $8::jsonb,"
    " $4::text || ' ' || coalesce($8::jsonb->>'error', ''))"
)


async def say(panel: Panel, event: str, *, service: str = "rewriter", level: str = "info", **given: Any) -> None:
    values = (given.get("post_id"), given.get("job_id"), given.get("trace_id"), given.get("fields", {}))
    await panel.api.database.execute(SAY, given.get("at"), service, level, event, *values)


async def test_what_is_said_appears_and_is_followed(panel: Panel) -> None:
    for number in range(60):
        await say(panel, f"line {number}")
    page = await panel.visit("/logs", "viewer")
    lines = page.locator("details.log")
    await expect(lines).to_have_count(60)
    await expect(lines.last).to_be_in_viewport()
    await say(panel, "a new <b>line</b>", level="error", fields={"error": "Boom: it broke"})
    await expect(lines).to_have_count(61)
    await expect(lines.last).to_contain_text("a new <b>line</b>")
    await expect(lines.last).to_be_in_viewport()

    await page.get_by_role("button", name="Pause").click()
    await expect(page.locator("#tail-state")).to_have_text("paused")
    await say(panel, "said meanwhile")
    await page.get_by_role("button", name="Resume").click()
    await expect(lines).to_have_count(62)

    await page.locator("#lines").evaluate("box => box.scrollTop = 0")
    await expect(lines.first).to_be_in_viewport()
    await say(panel, "far below")
    await expect(lines).to_have_count(63)
    await expect(lines.first).to_be_in_viewport()  # who reads above is not moved
    await page.get_by_role("button", name="To the end").click()
    await expect(lines.last).to_be_in_viewport()


async def test_no_more_lines_than_are_kept(panel: Panel) -> None:
    await say(panel, "the first")
    page = await panel.visit("/logs", "viewer")
    await expect(page.locator("details.log")).to_have_count(1)
    await panel.api.database.execute(
        "INSERT INTO log_records (at, service, level, event, fields, searched)"
        " SELECT clock_timestamp(), 'api', 'info', 'one of many', '{}', '' FROM generate_series(1, 1000)"
    )
    await expect(page.locator("details.log")).to_have_count(1000)
    await expect(page.get_by_text("the first")).to_have_count(0)


async def test_logs_are_searched(panel: Panel) -> None:
    post = await panel.api.post("A post that is talked of")
    long_ago = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    await say(panel, "long ago", at=long_ago)
    await say(
        panel, "the job is given up", level="error", post_id=post, job_id="rewriter/e1", trace_id="ab" * 16,
        fields={"error": "TimeoutError: no answer", "exception": "Traceback\n  line 1", "attempt": 3},
    )  # fmt: skip
    await say(panel, "all is well", service="publisher")
    page = await panel.visit("/logs?search=1", "viewer")
    lines = page.locator("details.log")
    await expect(lines).to_have_count(3)
    await page.keyboard.press("/")
    await page.keyboard.type("no answer")
    await expect(lines).to_have_count(1)
    await lines.locator("summary").click()
    more = lines.locator(".log-more")
    await expect(more).to_contain_text("Traceback")
    await expect(more.get_by_role("link", name="rewriter/e1")).to_have_attribute("href", "/jobs/rewriter/e1")
    await expect(more.get_by_role("link", name="ab" * 16)).to_have_attribute("href", f"/logs?trace_id={'ab' * 16}")
    async with page.expect_download() as downloading:
        await page.get_by_role("link", name="Download").click()
    path = await (await downloading.value).path()
    [record] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert (record["event"], record["fields"]["attempt"]) == ("the job is given up", 3)
    await more.get_by_role("link", name=str(post)).click()
    await expect(page.locator("h1")).to_contain_text("A post that is talked of")
    await page.goto("/logs?until=2026-01-03T00:00")
    await expect(lines).to_have_count(1)
    await expect(lines).to_contain_text("long ago")
    await page.goto(f"/logs?post_id={uuid4()}")
    await expect(page.get_by_text("Nothing yet.")).to_be_visible()
    for path_of in ("/logs", "/logs?search=1"):
        for width in (PHONE, 1440):
            narrow = await panel.visit(path_of, width=width)
            assert await overflow(narrow) == []
            assert await axe(narrow) == []
            await narrow.close()


async def test_the_api_tails_and_exports(panel: Panel) -> None:
    await say(panel, "one")
    tail = (await panel.api.http.get("/logs/tail")).json()
    assert [each["event"] for each in tail["items"]] == ["one"]
    await say(panel, "two", level="error")
    after = {"after": tail["last_id"]}
    told = (await panel.api.http.get("/logs/tail", params=after)).json()
    assert told["items"][-1]["event"] == "two"
    assert told["last_id"] > tail["last_id"]
    exported = await panel.api.http.get("/logs/export", params={"level": "error"})
    assert exported.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["event"] for line in exported.text.splitlines()] == ["two"]
