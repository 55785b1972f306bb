"""Notifications: a storm of equal ones is one row with a count."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import uuid4

import pytest
from nats.aio.client import Client

from api.app import run
from common.events import NotifyRequested, emitted
from common.messaging.dead_letters import fingerprint
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.waiting import eventually


@asynccontextmanager
async def serving(replicas: int = 1) -> AsyncIterator[None]:
    """Run replicas of the service; an error of one is an error of the test."""
    stop = asyncio.Event()
    tasks = [asyncio.create_task(run(stop)) for _ in range(replicas)]
    try:
        yield
    finally:
        stop.set()
        await asyncio.gather(*tasks)


async def notify(client: Client, event: NotifyRequested, name: str) -> None:
    emit = emitted(event, event_id=name, consumer="test", cause_id="test")
    await client.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))


def limited(detail: str = "", *, fingerprint: str = "collector.rate_limited/a", title: str = "wait") -> NotifyRequested:
    return NotifyRequested(kind="collector.rate_limited", title=title, detail=detail, fingerprint=fingerprint)


async def counted(database: Database, total: int) -> list[tuple[str, int, str]]:
    """Wait until `total` were kept; return fingerprint, count and detail of each row."""

    async def all_there() -> bool:
        return await database.strict.fetchval("SELECT coalesce(sum(count), 0) FROM notifications") >= total

    await eventually(all_there)
    rows = await database.fetch("SELECT fingerprint, count, detail FROM notifications ORDER BY first_at, fingerprint")
    return [(row["fingerprint"], row["count"], row["detail"]) for row in rows]


@pytest.mark.parametrize("replicas", [1, 3])
async def test_a_storm_is_one_row(
    service_settings: ServiceSettings, database: Database, nats_client: Client, replicas: int
) -> None:
    await asyncio.gather(*(notify(nats_client, limited(str(number)), f"n{number}") for number in range(500)))
    async with serving(replicas):
        ((kept, count, _detail),) = await counted(database, 500)
    assert (kept, count) == ("collector.rate_limited/a", 500)


async def test_a_storm_of_one_error_in_varying_words_is_one_row(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    errors = [
        f"Reject: GET https://{number}.example/{uuid4()}?at={number}: @editor_{'x' * number} and a@b{number}.example"
        f" are not {str(number)!r}"
        for number in range(100)
    ]
    told = [limited(error, fingerprint=f"dead/{fingerprint('rewriter', error)}") for error in errors]
    await asyncio.gather(*(notify(nats_client, event, f"n{number}") for number, event in enumerate(told)))
    async with serving():
        ((_kept, count, _detail),) = await counted(database, 100)
    assert count == 100


async def test_a_group_keeps_what_came_last(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    for number in range(5):
        await notify(nats_client, limited(f"attempt {number}"), f"n{number}")
    async with serving():
        assert await counted(database, 5) == [("collector.rate_limited/a", 5, "attempt 4")]


async def test_different_fingerprints_are_different_rows(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    names = [f"source/{number % 3}" for number in range(30)]
    await asyncio.gather(*(notify(nats_client, limited(fingerprint=name), f"{i}") for i, name in enumerate(names)))
    async with serving(2):
        rows = await counted(database, 30)
    assert sorted(rows) == [(f"source/{number}", 10, "") for number in range(3)]


async def test_after_a_while_a_new_row_begins(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    async with serving():
        await notify(nats_client, limited("first"), "n1")
        await counted(database, 1)
        await database.execute("UPDATE notification_folds SET last_at = now() - interval '59 minutes'")
        await notify(nats_client, limited("second"), "n2")
        await counted(database, 2)
        await database.execute("UPDATE notification_folds SET last_at = now() - interval '61 minutes'")
        await notify(nats_client, limited("third"), "n3")
        rows = await counted(database, 3)
    assert rows == [("collector.rate_limited/a", 2, "second"), ("collector.rate_limited/a", 1, "third")]


async def test_a_second_copy_is_not_counted(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    emit = emitted(limited(), event_id="same", consumer="test", cause_id="test")
    for copy in ("a", "b"):  # a Nats-Msg-Id of its own each, as a replay has: the inbox has to tell
        headers = {**emit.headers, "Nats-Msg-Id": copy}
        await nats_client.jetstream().publish(emit.subject, emit.payload, headers=headers)
    await notify(nats_client, limited(fingerprint="end"), "end")
    async with serving():
        assert sorted(await counted(database, 2)) == [("collector.rate_limited/a", 1, ""), ("end", 1, "")]


async def test_text_that_the_database_can_not_hold(
    service_settings: ServiceSettings, database: Database, nats_client: Client
) -> None:
    await notify(nats_client, limited("nul \x00", title="title \x00"), "n1")
    async with serving():
        assert await counted(database, 1) == [("collector.rate_limited/a", 1, "nul �")]
