"""Queues: how they stand, pausing them, and settings that change while the services run."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Annotated, Literal
from uuid import UUID

from fastapi import Path
from nats.aio.client import Client
from nats.js import JetStreamContext
from pydantic import Field, StringConstraints
from starlette.responses import JSONResponse, Response

from api.http.calls import Call, Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Moment, Utc
from common.overview import QueueView, views
from common.postgres import Database
from common.queues.control import Enforcement, QueueControl
from common.queues.effective import effective
from common.queues.records import QueueRecords, Replica
from common.queues.settings import WrongSetting
from common.queues.standing import standing

router = resource("queues")

Name = Annotated[str, Path(max_length=100, description="such as rewrite_queue")]
Reason = Annotated[str, StringConstraints(max_length=500)]


class Pause(Answer):
    """The queue stands still, until somebody resumes it or `until` has come."""

    paused_at: Utc
    paused_by: str
    reason: str
    until: Utc | None


class Behind(Answer):
    """What has left the queue's stream and is still to be done."""

    what: Literal["publications", "broadcasts"]
    behind: int
    running: int
    oldest_seconds: float | None
    rate: float = Field(description="how many ended per second in the last five minutes; 0 where that says nothing")


class QueueSummary(Answer):
    """A queue in a list."""

    queue: str
    priority: Literal["high", "medium", "low"]
    waiting: int = Field(description="messages that were delivered to nobody")
    in_flight: int = Field(description="delivered and not acknowledged: they run, or wait for a place or an attempt")
    redelivered: int = Field(description="how many of these were delivered before")
    oldest_seconds: float | None = Field(description="the age of the oldest message that is not done")
    rate: float = Field(description="jobs that ended per second, in the last minute")
    eta_seconds: float | None = Field(description="until all of it is done at that rate; null where nothing moves")
    pause: Pause | None
    behind: Behind | None
    dead: int = Field(description="its dead letters")
    history: list[int] = Field(description="its backlog of the last hour, minute by minute; the last one is now")


class Queues(Answer):
    """All queues, the urgent ones first."""

    items: list[QueueSummary]


class Durable(Answer):
    """A durable of the queue, on the server."""

    name: str
    service: str
    subject: str
    waiting: int
    in_flight: int
    redelivered: int
    oldest_seconds: float | None
    paused: bool


class QueueReplica(Answer):
    """How a replica works on a durable of the queue."""

    service: str
    replica: UUID
    durable: str
    holding: bool = Field(description="it starts nothing, as the queue is paused")
    in_flight: int
    rate: float
    seen_at: Utc


class Setting(Answer):
    """A setting of the queue, and where it is from."""

    name: str
    value: int | float
    origin: Literal["default", "environment", "changed"]
    changed_by: str | None
    changed_at: Utc | None
    reason: str | None


class Queue(QueueSummary):
    """A queue. Where nobody works on it, only the settings that were changed are known."""

    settings: list[Setting]
    durables: list[Durable]
    replicas: list[QueueReplica]
    not_following: list[QueueReplica] = Field(
        default=[], description="who lives and did not follow in time what was just decided"
    )


class Decided(Answer):
    """What people have decided about a queue; for the audit log."""

    pause: Pause | None
    settings: dict[str, int | float]


class NewPause(Given):
    """Why the queue is to stand still, and until when."""

    reason: Reason = ""
    until: Moment | None = Field(default=None, description="without it: until it is resumed")


class SettingsChange(Change):
    """The settings that are to be different; null takes a change back, so that the environment or default holds."""

    concurrency: int | None = Field(default=None, description="handlers at once, in each replica")
    max_attempts: int | None = None
    max_crashes: int | None = None
    backoff_base_seconds: float | None = None
    backoff_cap_seconds: float | None = None
    timeout_seconds: float | None = None
    deadline_seconds: float | None = None
    alert_failures: int | None = None
    alert_window_seconds: float | None = None
    alert_oldest_seconds: float | None = None
    reason: Reason = ""


@router.get("")
async def list_queues(call: Calling) -> Queues:
    """List the queues."""
    return Queues(items=await look(call.database, call.system.nats.jetstream()))


@router.get("/{queue}")
async def get_queue(queue: Name, call: Calling) -> Queue:
    """Read a queue with its settings, durables and replicas."""
    return await _read(call, queue)


@router.post("/{queue}/pause")
async def pause_queue(queue: Name, given: NewPause, call: Calling) -> Queue:
    """Let a queue stand still with all that is behind it; what runs may finish."""
    call.before = await _decided(call, queue)
    with _refusals():
        await QueueControl(call.database).pause([queue], by=call.actor, reason=given.reason, until=given.until)
    return await _bring(call, queue, "queue.paused")


@router.post("/{queue}/resume")
async def resume_queue(queue: Name, call: Calling) -> Queue:
    """Let a queue go on."""
    call.before = await _decided(call, queue)
    await QueueControl(call.database).resume([queue])
    return await _bring(call, queue, "queue.resumed")


@router.patch("/{queue}/settings")
async def change_queue_settings(queue: Name, change: SettingsChange, call: Calling) -> Queue:
    """Change settings of a queue, in all replicas, without a restart."""
    await call.alone_with("queue", queue)
    call.before = await _decided(call, queue)
    control = QueueControl(call.database)
    given = {name: getattr(change, name) for name in change.model_fields_set if name != "reason"}
    taken_back = [name for name, value in given.items() if value is None]
    values = {name: value for name, value in given.items() if value is not None}
    if values:
        with _refusals():
            await control.change(queue, values, by=call.actor, reason=change.reason)
    if taken_back:
        await control.unset(queue, taken_back)
    return await _bring(call, queue, None)


@contextmanager
def _refusals() -> Iterator[None]:
    """Say where in the body is what can't be."""
    try:
        yield
    except WrongSetting as error:
        field = str(error).partition(":")[0].rpartition(".")[2]
        raise Problem(
            "invalid", str(error), errors=[{"in": "body", "pointer": f"/{field}", "detail": str(error)}]
        ) from None


async def _decided(call: Call, queue: str) -> Decided:
    """Return what is decided until now; the audit log names the queue itself."""
    QueueControl(call.database).queues(queue)
    call.path = call.path.rpartition("/")[0]
    records = QueueRecords(call.database)
    pauses, changes = await records.pauses([queue]), await records.changes([queue])
    return Decided(
        pause=Pause.model_validate(pauses[0], from_attributes=True) if pauses else None,
        settings={change.field: change.value for change in changes},
    )


async def _bring(call: Call, queue: str, event: str | None) -> Queue:
    """Answer what was decided; after the commit wait until the replicas follow, and answer how it stands then."""

    async def followed() -> Response:
        system = call.system
        late = await Enforcement(system.database, system.nats).bring([queue], by=call.actor, event=event)
        answer = await _read_from(system.database, system.nats, queue, late)
        return JSONResponse(answer.model_dump(mode="json"))

    call.afterwards = followed
    return await _read(call, queue)


async def _read(call: Call, queue: str) -> Queue:
    return await _read_from(call.database, call.system.nats, queue)


async def _read_from(database: Database, client: Client, queue: str, late: Sequence[Replica] = ()) -> Queue:
    QueueControl(database).queues(queue)
    found = next(each for each in await standing(database, client.jetstream()) if each.queue == queue)
    [view] = await views(database, [found])
    changes = await QueueRecords(database).changes([queue])
    settings = effective(queue, found.replicas, changes)
    return Queue.model_validate(
        {
            **dict(summary(view)),
            "durables": found.durables,
            "replicas": found.replicas,
            "settings": settings,
            "not_following": late,
        },
        from_attributes=True,
    )


async def look(database: Database, stream: JetStreamContext) -> list[QueueSummary]:
    """Return how all queues stand."""
    return [summary(each) for each in await views(database, await standing(database, stream))]


def summary(view: QueueView) -> QueueSummary:
    """Return a queue as it stands in a list."""
    told = {"dead": view.dead, "history": view.history}
    standing = {name: getattr(view.standing, name) for name in QueueSummary.model_fields if name not in told}
    return QueueSummary.model_validate(standing | told, from_attributes=True)
