"""Dead letters: read, replayed to the consumer that failed and to no other, discarded; and what the server gives up."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from nats.aio.client import Client

from common.events import Event
from common.messaging import Job
from common.messaging.dead_letters import fingerprint
from common.messaging.ledger import Ledger
from common.messaging.replay import DeadLetter, DeadLetters, NoSuchLetter
from common.messaging.undertaker import GivenUp, Undertaker
from common.postgres import Database
from common.service import ServiceSettings, create_service
from common.testing.trial import CONTRACTS, First, TrialHandlers, trial_service
from common.testing.waiting import eventually


@pytest.fixture
def office(nats_client: Client, database: Database) -> DeadLetters:
    return DeadLetters(nats_client.jetstream(), Ledger(database))


async def letters(office: DeadLetters, **wanted: Any) -> list[DeadLetter]:
    return [letter async for letter in office.letters(**wanted)]


async def publish(client: Client, event_id: str, **payload: object) -> None:
    await client.jetstream().publish("trial.first", json.dumps(payload).encode(), headers={"ce-id": event_id})


async def jobs(database: Database, status: str, consumer: str = "first") -> set[str]:
    rows = await database.fetch("SELECT event_id FROM jobs WHERE status = $1 AND consumer = $2", status, consumer)
    return {row["event_id"] for row in rows}


@asynccontextmanager
async def witness(settings: ServiceSettings, seen: list[int]) -> AsyncIterator[None]:
    """Run the other consumer of the first subject."""

    async def look(event: First, _job: Job) -> Sequence[Event]:
        seen.append(event.number)
        return []

    stop = asyncio.Event()
    async with create_service("other", settings, CONTRACTS) as service:
        service.consume("witness", look)
        running = asyncio.create_task(service.run(stop))
        yield
        stop.set()
        await running


async def test_a_replay_reaches_only_the_consumer_that_failed(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, office: DeadLetters
) -> None:
    seen: list[int] = []
    handlers = TrialHandlers()
    async with witness(trial_settings, seen), trial_service(trial_settings, handlers):
        await publish(nats_client, "broken", number=1, mode="reject")
        [letter] = await eventually(lambda: letters(office))
        await office.replay(letter, b'{"number": 1}')  # the fix: the mode is gone

        async def mended() -> bool:
            return "broken" in await jobs(database, "succeeded") and "broken" in await jobs(
                database, "succeeded", "witness"
            )

        await eventually(mended)
        await publish(nats_client, "later", number=2)
        await eventually(lambda: asyncio.sleep(0, 2 in seen))
    assert seen == [1, 2]  # the replay did not reach the witness a second time
    assert handlers.runs == {1: 2, 2: 1}
    assert await letters(office) == []


async def test_a_replay_that_fails_again_is_a_new_letter(
    trial_settings: ServiceSettings, nats_client: Client, office: DeadLetters
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await publish(nats_client, "broken", number=1, mode="boom")
        [first] = await eventually(lambda: letters(office))
        await office.replay(first)

        async def again() -> list[DeadLetter]:
            return [letter for letter in await letters(office) if letter.number != first.number]

        [second] = await eventually(again)
    assert second.event_id == first.event_id
    assert second.attempts == first.attempts == 3  # its attempts were forgiven
    assert second.fingerprint == first.fingerprint


async def test_letters_are_found_by_consumer_and_fingerprint_and_can_be_discarded(
    trial_settings: ServiceSettings, nats_client: Client, office: DeadLetters
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        for number in range(5):
            await publish(nats_client, f"rejected-{number}", number=number, mode="reject")
        await publish(nats_client, "malformed", wrong=True)

        async def six() -> list[DeadLetter]:
            found = await letters(office)
            return found if len(found) == 6 else []

        found = await eventually(six)
    kinds = {letter.fingerprint for letter in found}
    assert len(kinds) == 2
    rejected = next(letter for letter in found if letter.event_id == "rejected-0")
    assert len(await letters(office, fingerprint=rejected.fingerprint)) == 5
    assert len(await letters(office, consumer="first")) == 6
    assert await letters(office, consumer="second") == []
    await office.discard(rejected)
    with pytest.raises(NoSuchLetter, match="postroom dead list"):
        await office.get(rejected.number)
    assert (await office.get(found[-1].number)).event_id == found[-1].event_id


async def test_a_discarded_letter_cancels_its_job(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, office: DeadLetters
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        for name in ("one", "two"):
            await publish(nats_client, name, number=1, mode="reject")

        async def both() -> list[DeadLetter]:
            found = await letters(office)
            return found if len(found) == 2 else []

        one, two = await eventually(both)
        await office.discard(one)
        await office.discard(one)  # a second operator was a moment later
        [row] = await database.fetch("SELECT event_id, last_error FROM jobs WHERE status = 'cancelled'")
        assert row["event_id"] == one.event_id
        assert row["last_error"].startswith("discarded: Reject: ")
        assert await jobs(database, "failed") == {two.event_id}

        # A discard that was interrupted before the letter was deleted: the letter can still be replayed.
        await database.execute("UPDATE jobs SET status = 'cancelled' WHERE event_id = $1", two.event_id)
        await office.replay(two, b'{"number": 2}')

        async def mended() -> bool:
            return two.event_id in await jobs(database, "succeeded")

        await eventually(mended)
    assert await letters(office) == []


async def test_a_payload_that_does_not_validate_is_told_in_words(
    trial_settings: ServiceSettings, nats_client: Client, office: DeadLetters
) -> None:
    async with trial_service(trial_settings, TrialHandlers()):
        await nats_client.jetstream().publish("trial.first", b'{"number": ')
        await publish(nats_client, "wrong", number="many", mode="odd")

        async def both() -> list[DeadLetter]:
            found = await letters(office)
            return found if len(found) == 2 else []

        broken, wrong = sorted(await eventually(both), key=lambda letter: letter.payload)
    assert broken.error == "ValidationError: Invalid JSON: EOF while parsing a value at line 1 column 11"
    assert wrong.error.startswith("ValidationError: number: Input should be a valid integer")
    assert "; mode: Input should be " in wrong.error
    assert "http" not in wrong.error


async def test_what_the_server_gives_up_is_buried_too(
    trial_settings: ServiceSettings, nats_client: Client, database: Database, office: DeadLetters
) -> None:
    stream = nats_client.jetstream()
    config = (await stream.consumer_info("TRIAL", "second")).config
    config.max_deliver, config.ack_wait = 2, 0.2
    await stream.add_consumer("TRIAL", config)
    await stream.publish("trial.second", b'{"number": 9}', headers={"ce-id": "ignored"})
    await stream.publish("trial.second", b'{"number": 10}')
    reader = await stream.pull_subscribe_bind("second", "TRIAL")

    async def given_up() -> bool:
        with contextlib.suppress(TimeoutError):
            await reader.fetch(10, timeout=0.3)  # taken, and never answered
        return (await stream.stream_info("ADVISORIES")).state.messages == 2

    await eventually(given_up)
    async with create_service("trial", trial_settings, CONTRACTS) as service:
        undertaker = Undertaker(service.stream, service.rails.ledger, CONTRACTS)

        async def bury(event: GivenUp, job: Job) -> Sequence[Event]:
            return await undertaker(event, job)

        stop = asyncio.Event()
        service.consume("undertaker", bury)
        running = asyncio.create_task(service.run(stop))

        async def both() -> list[DeadLetter]:
            found = await letters(office)
            return found if len(found) == 2 else []

        found = await eventually(both)
        stop.set()
        await running
    assert {letter.payload for letter in found} == {b'{"number": 9}', b'{"number": 10}'}
    assert await jobs(database, "failed", "second") == {letter.event_id for letter in found}
    assert "ignored" in {letter.event_id for letter in found}


async def test_a_terminated_message_leaves_a_letter(
    trial_settings: ServiceSettings, nats_client: Client, office: DeadLetters
) -> None:
    stream = nats_client.jetstream()
    await stream.publish("trial.second", b'{"number": 9}', headers={"ce-id": "terminated"})
    reader = await stream.pull_subscribe_bind("second", "TRIAL")
    [message] = await reader.fetch(1, timeout=5)
    await message.term()
    async with trial_service(trial_settings, TrialHandlers()):
        [letter] = await eventually(lambda: letters(office))
    assert letter.consumer == "second"
    assert "terminated" in letter.error


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        ("timed out after 30 s", "timed out after 45 s", True),
        ("no post 7f0a4e0e-6c1b-5b5e-9a55-2d6a3a0f1c11", "no post 00000000-6c1b-5b5e-9a55-2d6a3a0f1c11", True),
        ("key 'a' is missing", "key 'b' is missing", True),
        ("GET https://one.example/a?b=c: refused", "GET http://two.example:81/: refused", True),
        ("there is no @city_news on Telegram", "there is no @world on Telegram", True),
        ("mail to a.b+c@one.example bounced", "mail to somebody@two.example bounced", True),
        ("timed out", "refused", False),
    ],
)
def test_a_fingerprint_leaves_out_what_differs(first: str, second: str, same: bool) -> None:
    assert (fingerprint("c", first) == fingerprint("c", second)) is same
    assert fingerprint("c", first) != fingerprint("d", first)
