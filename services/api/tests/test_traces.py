"""What a person decides about a post goes on in the post's trace, not in one of the request."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from common.contracts import topology

from .conftest import Api

POST, REQUEST = "a" * 32, "c" * 32  # traces


def parent(trace_id: str) -> str:
    return f"00-{trace_id}-{'b' * 16}-01"


ASKED = {"traceparent": parent(REQUEST)}


async def requested(api: Api) -> str:
    """The trace of the next publish request."""
    durable = next(each for each in topology().durables() if each.subject == "publish.requested")
    reader = await api.nats.jetstream().pull_subscribe_bind(durable.name, durable.stream)
    [message] = await reader.fetch(1, timeout=10)
    await message.ack()
    return (message.headers or {})["traceparent"][3:35]


async def planned(api: Api, status: str) -> UUID:
    """A scheduled post that keeps the trace of the post."""
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {
        "post_id": str(await api.post(f"A post that is {status}")),
        "target": "telegram:@there",
        "scheduled_time": at,
    }
    made = (await api.http.post("/scheduled-posts", json=body, headers=ASKED)).json()
    change = "UPDATE scheduled_posts SET traceparent = $2, status = $3 WHERE id = $1"
    await api.database.execute(change, UUID(made["id"]), parent(POST), status)
    return UUID(made["id"])


async def kept(api: Api, scheduled: UUID) -> str:
    row = await api.database.fetchrow("SELECT traceparent FROM scheduled_posts WHERE id = $1", scheduled)
    assert row
    return str(row["traceparent"])


async def test_what_is_approved_goes_on_in_the_trace_of_the_post(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    await api.database.execute("UPDATE routings SET traceparent = $1", parent(POST))
    answer = await api.http.post(f"/posts/{post}/approve", json={}, headers=ASKED)
    assert answer.status_code == 202, answer.text
    assert await requested(api) == POST


async def test_what_kept_no_trace_goes_on_in_that_of_the_request(api: Api) -> None:
    post = await api.post()
    await api.held(post)
    assert (await api.http.post(f"/posts/{post}/approve", json={}, headers=ASKED)).status_code == 202
    assert await requested(api) == REQUEST


async def test_what_failed_and_is_retried_goes_on_in_the_trace_of_the_post(api: Api) -> None:
    post = await api.post()
    await api.publication(post, "failed")
    await api.database.execute("UPDATE publish_packages SET traceparent = $1", parent(POST))
    answer = await api.http.post(f"/posts/{post}/retry", json={}, headers=ASKED)
    assert answer.status_code == 202, answer.text
    assert await requested(api) == POST


async def test_a_plan_keeps_its_trace_when_a_person_does_not_wait_for_its_time(api: Api) -> None:
    for status, what in (("scheduled", "publish-now"), ("failed", "retry")):
        scheduled = await planned(api, status)
        answer = await api.http.post(f"/scheduled-posts/{scheduled}/{what}", headers=ASKED)
        assert answer.status_code == 200, answer.text
        found = await kept(api, scheduled)
        assert found[3:35] == POST
        assert found != parent(POST)  # the decision is a span of it


async def test_a_plan_keeps_the_trace_of_the_request_that_made_it(api: Api) -> None:
    at = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    body = {"post_id": str(await api.post()), "target": "telegram:@there", "scheduled_time": at}
    made = (await api.http.post("/scheduled-posts", json=body, headers=ASKED)).json()
    assert (await kept(api, UUID(made["id"])))[3:35] == REQUEST
    assert "traceparent" not in made
