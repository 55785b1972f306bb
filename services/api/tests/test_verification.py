"""Verification and the canary by the API, and the alerts that follow from them."""

from typing import Any
from uuid import UUID

import httpx
import pytest

from common.catalog import Catalog
from common.posts import NewPost, Posts
from common.telegram.text import RichText

from .conftest import Api


@pytest.fixture
def environment() -> dict[str, str]:
    return {"ALERT_CHECK_SECONDS": "0.2"}


async def canary(api: Api, **ended: Any) -> UUID:
    """A canary that was sent five minutes ago, and may take one."""
    source = await Catalog(api.database).put_source("canary", "telegram:@canary")
    [brought] = await Posts(api.database).add([NewPost(source, "1", RichText(text="Canary of now"))])
    await api.database.execute(
        "INSERT INTO canary_runs (post_id, target, limit_seconds, sent_at, outcome, ended_at)"
        " VALUES ($1, 'telegram:@canary', 60, now() - interval '5 minutes', $2::text,"
        " CASE WHEN $2::text IS NOT NULL THEN now() - interval '5 minutes' + make_interval(secs => $3) END)",
        brought.post_id,
        ended.get("outcome"),
        ended.get("seconds", 0.0),
    )
    return brought.post_id


async def pipeline(api: Api) -> httpx.Response:
    """What /health/pipeline says, without a token."""
    async with httpx.AsyncClient() as client:
        return await client.get(str(api.http.base_url).split("/api/")[0] + "/health/pipeline")


async def test_without_a_canary_nothing_is_known(api: Api) -> None:
    assert (await api.http.get("/verification/canary")).status_code == 404
    said = await pipeline(api)
    assert (said.status_code, said.json()["status"]) == (200, "unknown")


async def test_a_canary_that_came_through(api: Api) -> None:
    await canary(api, outcome="published", seconds=2.5)
    found = (await api.http.get("/verification/canary")).json()
    assert (found["well"], found["outcome"], found["seconds"]) == (True, "published", 2.5)
    assert (await pipeline(api)).json()["status"] == "ready"


async def test_a_late_canary_is_an_alert_and_the_whole_is_not_ready(api: Api) -> None:
    await canary(api)
    alert = await api.alert(kind="canary_late")
    assert "under way for" in alert["detail"]
    said = await pipeline(api)
    assert (said.status_code, said.json()["status"]) == (503, "not ready")


async def test_a_canary_waits_while_a_queue_is_paused(api: Api) -> None:
    await api.database.execute("INSERT INTO queue_pauses (queue, paused_by) VALUES ('rewrite_queue', 'test')")
    await canary(api)
    found = (await api.http.get("/verification/canary")).json()
    assert (found["well"], found["waiting_seconds"] > found["limit_seconds"]) == (True, True)


async def test_what_a_verification_found_is_an_alert(api: Api) -> None:
    assert (await api.http.get("/verification")).status_code == 404
    finding = {
        "kind": "unheld_job", "problem": "the job a/b has been queued, and nobody took it for 90 s",
        "advice": "--fix sends it again", "post_id": None, "mendable": True, "mended": False,
    }  # fmt: skip
    report = {"balanced": False, "total": {"collected": 1, "balanced": True}, "dead_letters": 0, "findings": [finding]}
    await api.database.execute(
        "INSERT INTO verifications (balanced, findings, mended, report) VALUES (false, 1, 0, $1)", report
    )
    found = (await api.http.get("/verification")).json()
    assert found["findings"] == [finding]
    alert = await api.alert(kind="strays")
    assert alert["detail"].startswith(finding["problem"])
