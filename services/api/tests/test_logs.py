"""Logs: everything that services ship is kept once, whatever it is, and found again."""

import asyncio
import contextlib
import json
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from api.logs.keeping import DURABLE, LogKeeper
from common.contracts import topology
from common.logs import LogFilter, Logs
from common.messaging.streams import migrate_topology
from common.postgres import Database
from common.telemetry.shipping import JOB_ENDED, Shipping
from common.testing.waiting import eventually
from embedded import NatsServer

from .conftest import Api

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
POST, OTHER_POST = uuid4(), uuid4()


def said(event: str, level: str = "warning", *, minutes: float = 0, **fields: Any) -> dict[str, Any]:
    at = (NOON + timedelta(minutes=minutes)).isoformat()
    return {"timestamp": at, "level": level, "service": "rewriter", "event": event, **fields}


async def ship(client: Client, *records: dict[str, Any], service: str = "rewriter") -> None:
    shipping = Shipping(service, client.jetstream())
    for record in records:
        shipping.record({**record, "service": service})

    async def shipped() -> bool:
        with contextlib.suppress(NatsError):  # the server may just have been started again
            await shipping.ship()
            return True
        return False

    await eventually(shipped)


async def kept(database: Database, number: int) -> list[Any]:
    """Wait until so many records are kept, and return all."""

    async def there() -> list[Any]:
        rows = await database.fetch("SELECT * FROM log_records ORDER BY id")
        return rows if len(rows) >= number else []

    return await eventually(there)


async def events(api: Api, **parameters: Any) -> list[str]:
    answer = await api.http.get("/logs", params=parameters)
    assert answer.status_code == 200, answer.text
    return [item["event"] for item in answer.json()["items"]]


FILTERS: list[tuple[dict[str, str], list[str]]] = [
    ({}, ["no such chat", JOB_ENDED, JOB_ENDED, "the model is away", "the model is slow"]),
    ({"service": "publisher"}, ["no such chat"]),
    ({"level": "warning"}, ["no such chat", JOB_ENDED, "the model is away", "the model is slow"]),
    ({"level": "error"}, [JOB_ENDED, "the model is away"]),
    ({"post_id": str(POST)}, ["the model is away", "the model is slow"]),
    ({"job_id": "rewriter/one"}, ["the model is slow"]),
    ({"trace_id": "a" * 32}, ["the model is slow"]),
    ({"text": "MODEL is"}, ["the model is away", "the model is slow"]),
    ({"text": "timeouterror"}, ["the model is away"]),  # in the traceback
    ({"text": "длинно"}, [JOB_ENDED]),  # in the error of a job
    ({"text": "100% OF_it"}, ["the model is away"]),
    ({"text": "100_ of_it"}, []),  # no pattern, but what it says
    ({"from": "2026-01-01T12:02:00Z", "to": "2026-01-01T12:04:00Z"}, [JOB_ENDED, "the model is away"]),
    ({"service": "rewriter", "level": "warning", "text": "model", "post_id": str(OTHER_POST)}, []),
]


@pytest.fixture
async def records(api: Api) -> Api:
    """An API that has some records."""
    await ship(
        api.nats,
        said("the model is slow", minutes=1, post_id=POST, job_id="rewriter/one", trace_id="a" * 32),
        said("the model is away", "error", minutes=2, post_id=POST, exception="Traceback\nTimeoutError: 100% of_it"),
        said(JOB_ENDED, "info", minutes=3, post_id=OTHER_POST, job_id="rewriter/two", queue="rewrite_queue"),
        said(JOB_ENDED, "error", minutes=4, job_id="rewriter/three", error="Reject: Слишком длинно"),
    )
    await ship(api.nats, said("no such chat", minutes=5, post_id=OTHER_POST), service="publisher")
    await kept(api.database, 5)
    return api


async def test_records_are_found_by_each_filter_and_say_all_that_was_said(records: Api) -> None:
    for wanted, found in FILTERS:
        assert await events(records, **wanted) == found, wanted
    [item] = (await records.http.get("/logs", params={"job_id": "rewriter/two"})).json()["items"]
    assert item | {"id": 0} == {
        "id": 0,
        "at": "2026-01-01T12:03:00Z",
        "service": "rewriter",
        "level": "info",
        "event": JOB_ENDED,
        "post_id": str(OTHER_POST),
        "job_id": "rewriter/two",
        "trace_id": None,
        "fields": {"queue": "rewrite_queue"},
    }


async def test_pages_neither_repeat_nor_leave_out(records: Api) -> None:
    await ship(records.nats, *(said(f"at once {number}", minutes=6) for number in range(7)))
    await kept(records.database, 12)
    seen: list[int] = []
    parameters = {"limit": "3"}
    while True:
        page = (await records.http.get("/logs", params=parameters)).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        parameters["cursor"] = page["next"]
    assert len(seen) == len(set(seen)) == 12


async def test_what_no_service_would_ship_stops_nobody(api: Api) -> None:
    stream = api.nats.jetstream()
    for body in (b"no json", b"[1, 2]", b'{"event": "nul \\u0000 and half \\ud83d", "x\\u0000": NaN, "level": "loud"}',
                 b'{"event": 5, "post_id": "none", "timestamp": "yesterday", "job_id": ["a"]}', b"", b"[" * 5000,
                 b'{"event": "\xff"}', b'{"timestamp": "0001-01-01T00:00:00+14:00"}'):  # fmt: skip
        await stream.publish("logs.stranger", body)
    await ship(api.nats, said("after all of it"))
    rows = await kept(api.database, 8)
    assert rows[-1]["event"] == "after all of it"
    odd = next(row for row in rows if row["event"].startswith("nul"))
    assert (odd["event"], odd["level"], odd["service"]) == ("nul \ufffd and half \ufffd", "info", "stranger")
    assert odd["fields"] == {"x\ufffd": "nan"}


async def test_a_message_that_comes_twice_is_kept_once(api: Api) -> None:
    body = b"\n".join(json.dumps(said(f"line {number}")).encode() for number in range(3))
    stream = api.nats.jetstream()
    await stream.publish("logs.rewriter", body, headers={"Nats-Msg-Id": "batch"})
    await kept(api.database, 3)
    # As after a death between keeping and acknowledging: the stream brings the same message again.
    reader = await stream.pull_subscribe("logs.>", durable="again", stream="LOGS")
    keeper = LogKeeper(api.database, stream, keep_days=7)
    await keeper.keep(await reader.fetch(1, timeout=5))
    await ship(api.nats, said("the last"))
    assert [row["event"] for row in await kept(api.database, 4)] == ["line 0", "line 1", "line 2", "the last"]


async def test_keeping_goes_on_after_the_server_and_after_the_durable_was_away(
    api: Api, nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    await ship(api.nats, said("before"))
    await kept(api.database, 1)
    nats_server.kill()
    nats_server.start()
    await ship(api.nats, said("after the server was away"))
    await kept(api.database, 2)
    stream = api.nats.jetstream()
    await stream.delete_consumer("LOGS", DURABLE)
    await eventually(lambda: asyncio.sleep(0, "log records are not kept" in caplog.text))
    await ship(api.nats, said("while the durable was away"))
    await migrate_topology(stream, topology())
    rows = await kept(api.database, 3)  # what is in the stream comes once more, and is kept once
    assert {row["event"] for row in rows} == {"before", "after the server was away", "while the durable was away"}
    assert len(caplog.text.splitlines()) < 50  # nobody asks in a hurry


async def test_what_is_old_is_forgotten(api: Api) -> None:
    now = datetime.now(UTC)
    for age in (1, 6.9, 7.1, 400):
        await ship(api.nats, said(f"{age} days ago") | {"timestamp": (now - timedelta(days=age)).isoformat()})
    await kept(api.database, 4)
    await LogKeeper(api.database, api.nats.jetstream(), keep_days=7).forget()
    assert {row["event"] for row in await kept(api.database, 1)} == {"1 days ago", "6.9 days ago"}


async def test_the_jobs_of_the_api_itself_are_kept_but_not_those_of_keeping(api: Api) -> None:
    body = {"kind": "tests", "title": "t", "detail": "", "fingerprint": "f"}
    await api.nats.jetstream().publish("notify.requested", json.dumps(body).encode(), headers={"ce-id": "told"})
    [record] = await kept(api.database, 1)
    assert (record["service"], record["event"], record["job_id"]) == ("api", JOB_ENDED, "api-notifications/told")
    jobs = await api.database.fetch("SELECT consumer FROM jobs")
    assert {row["consumer"] for row in jobs} == {"api-notifications"}


async def test_followers_see_what_arrives_late(records: Api) -> None:
    logs = Logs(records.database)
    last = await logs.last_id()
    await ship(records.nats, said("said before the others, and late", minutes=-5))
    await kept(records.database, 6)
    found = await logs.after(last, LogFilter(service="rewriter"))
    assert found[-1].event == "said before the others, and late"
    assert [record.event for record in await logs.latest(LogFilter(), 2)] == [JOB_ENDED, "no such chat"]
