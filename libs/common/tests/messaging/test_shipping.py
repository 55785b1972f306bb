"""What reaches the stream LOGS, from a real service over a real server."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

import nats
import pytest
from nats.aio.client import Client
from nats.errors import Error as NatsError

from common.messaging import Job
from common.messaging.queue import QueueSettings
from common.service import ServiceSettings
from common.telemetry.logs import configure_logs
from common.telemetry.shipping import BATCH_RECORDS, JOB_ENDED, LONGEST_LINE, Shipping, line
from common.testing.trial import First, TrialHandlers, trial_service
from common.testing.waiting import eventually
from embedded import NatsServer

QUEUE = QueueSettings(max_attempts=2, backoff_base_seconds=0.1, timeout_seconds=5)
log = logging.getLogger("trial")


class Talkative(TrialHandlers):
    """The handlers of the trial, which say what they do."""

    async def first(self, event: First, job: Job) -> Any:
        log.info("number %d is looked at", event.number)
        await asyncio.to_thread(
            log.warning, "number %d is odd, says %s", event.number, "postgresql://me:secret@here/db"
        )
        return await super().first(event, job)


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, left as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    yield logger
    logger.handlers = handlers
    logger.setLevel(level)


async def shipped(client: Client) -> list[dict[str, Any]]:
    """Every record on the stream, in order."""
    return [json.loads(each) for message in await messages(client) for each in message.splitlines()]


async def messages(client: Client) -> list[bytes]:
    stream = client.jetstream()
    state = (await stream.stream_info("LOGS")).state
    return [(await stream.get_msg("LOGS", number)).data or b"" for number in range(1, state.last_seq + 1)]


async def test_warnings_and_ended_jobs_are_shipped_with_the_ids_of_job_post_and_trace(
    trial_settings: ServiceSettings, nats_client: Client, root: logging.Logger, capsys: pytest.CaptureFixture[str]
) -> None:
    configure_logs("nobody", level="INFO", secrets=["a-known-secret"])
    post, trace = uuid4(), "0af7651916cd43dd8448eb211c80319c"
    headers = {"ce-id": "event-1", "ce-subject": str(post), "traceparent": f"00-{trace}-b7ad6b7169203331-01"}
    async with trial_service(trial_settings, Talkative(), QUEUE):
        stream = nats_client.jetstream()
        await stream.publish("trial.first", b'{"number": 7}', headers=headers)
        await stream.publish("trial.first", b'{"number": 8, "mode": "boom"}', headers={"ce-id": "event-2"})

        async def both_ended() -> list[dict[str, Any]]:
            found = [each for each in await shipped(nats_client) if each["event"] == JOB_ENDED]
            return found if {"first/event-1", "first/event-2"} <= {each["job_id"] for each in found} else []

        jobs = {each["job_id"]: each for each in await eventually(both_ended)}
        warning = next(each for each in await shipped(nats_client) if "is odd" in each["event"])
    ids = {"job_id": "first/event-1", "post_id": str(post), "trace_id": trace}
    assert {name: warning[name] for name in ids} == ids
    assert (warning["service"], warning["level"]) == ("trial", "warning")
    assert warning["event"] == "number 7 is odd, says postgresql://me:[redacted]@here/db"
    ended = jobs["first/event-1"]
    assert {name: ended[name] for name in ids} == ids
    assert (ended["service"], ended["queue"], ended["consumer"]) == ("trial", "first_queue", "first")
    assert (ended["level"], ended["status"], ended["attempt"]) == ("info", "succeeded", 1)
    assert ended["seconds"] >= 0
    failed = jobs["first/event-2"]
    assert (failed["level"], failed["status"], failed["attempt"]) == ("error", "failed", 2)
    assert failed["error"].startswith("RuntimeError: boom")
    written = [json.loads(each) for each in capsys.readouterr().out.splitlines()]
    looked_at = next(each for each in written if each["event"] == "number 7 is looked at")
    assert looked_at["post_id"] == str(post)  # on stdout, with its ids, and there only
    assert not [each for each in await shipped(nats_client) if each["event"] == looked_at["event"]]
    assert ended in written  # stdout has everything
    assert root.level == logging.INFO


async def test_a_run_that_will_be_repeated_is_no_ended_job(
    trial_settings: ServiceSettings, nats_client: Client
) -> None:
    async with trial_service(trial_settings, TrialHandlers(), QueueSettings(max_attempts=5, backoff_base_seconds=0.1)):
        await nats_client.jetstream().publish(
            "trial.first", b'{"number": 1, "mode": "flaky"}', headers={"ce-id": "event"}
        )
        [ended] = await eventually(lambda: of_first(nats_client))
    assert (ended["status"], ended["attempt"]) == ("succeeded", 3)


async def of_first(client: Client) -> list[dict[str, Any]]:
    return [each for each in await shipped(client) if each.get("consumer") == "first"]


async def test_what_is_last_said_is_shipped_before_a_service_stops(
    trial_settings: ServiceSettings, nats_client: Client, root: logging.Logger
) -> None:
    configure_logs("nobody", level="INFO", secrets=[])
    async with trial_service(trial_settings, TrialHandlers(), QUEUE) as service:
        await eventually(lambda: asyncio.sleep(0, service.nats.is_connected))
        log.warning("the last word")
    assert [each["event"] for each in await shipped(nats_client)] == ["the last word"]


async def test_batches_are_bounded_and_in_order(nats_client: Client) -> None:
    shipping = Shipping("trial", nats_client.jetstream())
    for number in range(2 * BATCH_RECORDS + 1):
        shipping.record({"event": f"record {number}"})
    await shipping.ship()
    assert [len(each.splitlines()) for each in await messages(nats_client)] == [BATCH_RECORDS, BATCH_RECORDS, 1]
    assert [each["event"] for each in await shipped(nats_client)] == [f"record {number}" for number in range(401)]


async def test_while_the_server_is_away_records_wait_and_what_does_not_fit_is_counted(
    nats_server: NatsServer, nats_client: Client
) -> None:
    client = await nats.connect(nats_server.url, max_reconnect_attempts=-1, reconnect_time_wait=0.05, error_cb=silent)
    shipping = Shipping("trial", client.jetstream(), room=10)
    shipping.record({"event": "before"})
    await shipping.ship()
    nats_server.kill()
    await eventually(lambda: asyncio.sleep(0, not client.is_connected))
    for number in range(25):
        shipping.record({"event": f"record {number}"})
    with pytest.raises((NatsError, OSError, TimeoutError)):
        async with asyncio.timeout(1):
            await shipping.ship()
    nats_server.start()
    await eventually(lambda: asyncio.sleep(0, client.is_connected and nats_client.is_connected))
    running = asyncio.create_task(shipping.run())
    found = await eventually(lambda: after_the_first(nats_client))
    running.cancel()
    await client.close()
    assert [each["event"] for each in found[:10]] == [f"record {number}" for number in range(10)]
    assert found[10]["dropped"] == 15
    assert len(found) == 11  # nothing twice, although the first try was broken off


async def silent(_error: Exception) -> None:
    """The test takes the server away itself."""


async def after_the_first(client: Client) -> list[dict[str, Any]]:
    return (await shipped(client))[1:]


@pytest.mark.parametrize(
    "value",
    ["half \ud83d of a pair", b"\xff", {1, 2}, ValueError("x"), float("nan"), "long " * 100_000, ["x" * 100_000]],
)
def test_whatever_is_logged_becomes_one_line_of_json(value: object) -> None:
    rendered = line({"event": "it\nhas two lines", "level": "warning", "value": value})
    assert b"\n" not in rendered
    assert len(rendered) <= LONGEST_LINE
    assert json.loads(rendered)["event"] == "it\nhas two lines"
