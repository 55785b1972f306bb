"""What happened to a post, in order; and the events it was made of, as they were."""

import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from nats.errors import Error as NatsError
from pydantic import Field, JsonValue

from api.http.calls import Call, Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.live.source import PAGE, Source
from api.resources.posts import read_post
from common.messaging.streams import TopologyError
from common.timeline import SQL, Timeline

router = resource("posts")

LIVE_PAGES = 16  # of live events that are looked through, the newest


class Happening(Answer):
    """One thing that happened to a post."""

    at: Utc
    kind: str = Field(
        description="collected, duplicate, brief, job, run, model_call, rewritten, refused, edited, routed, planned, "
        "plan_ended, publish_requested, first_try, published, not_published, called_off, package_ended, medium, "
        "illustrated, not_illustrated, broadcast_requested, broadcast_started, chat, broadcast_ended, dead_letter, "
        "notification, act"
    )
    minor: bool = Field(description="says how rather than what: a job that succeeded, for example")
    what: str = Field(description="the kind in words")
    detail: str
    trace_id: str | None
    data: dict[str, Any] = Field(
        description="what the kind has; of a run that failed `next_at`, of a message its `url`"
    )


class PostTimeline(Answer):
    """Everything that happened to a post, the oldest first; of the chats of its broadcasts the latest 500 tries."""

    items: list[Happening]


class RawEvent(Answer):
    """An event about a post, as it was sent."""

    id: str
    subject: str
    at: Utc
    kept_in: str = Field(
        description="jobs: with the jobs that it made; outbox: not in its stream yet; live: told to those who watch"
    )
    consumers: list[str] = Field(description="whose jobs it made")
    headers: dict[str, str] | None
    payload: JsonValue = Field(description="text where it is not JSON")
    sequence: int | None = Field(description="in its stream")


class LostEvent(Answer):
    """An event of which only its jobs are known."""

    id: str
    subject: str
    at: Utc
    consumers: list[str]


class PostEvents(Answer):
    """Events about a post, the newest first, of each kind up to 200."""

    items: list[RawEvent]
    not_kept: list[LostEvent] = Field(description="messages are forgotten after RETENTION_PAYLOADS_DAYS")
    live_since: Utc | None = Field(description="from when on live events were looked through; null: they can't be read")


@router.get("/{post_id}/timeline")
async def get_post_timeline(post_id: UUID, call: Calling) -> PostTimeline:
    """Read everything that happened to a post, in order."""
    found = await Timeline(call.database).of(post_id)
    if not found:
        raise Problem("not-found", "there is no such post")
    items = [Happening(**{name: getattr(each, name) for name in Happening.model_fields}) for each in found]
    return call.tagged(PostTimeline(items=items))


@router.get("/{post_id}/events")
async def list_post_events(post_id: UUID, call: Calling) -> PostEvents:
    """Read the events about a post that are still there, as they were sent."""
    await read_post(call, post_id)
    messages = await call.database.fetch(SQL["messages"], post_id)
    waiting = await call.database.fetch(SQL["unpublished"], str(post_id))
    kept = [_raw(row, "jobs", row["consumers"], row["sequence"]) for row in messages if row["payload"] is not None]
    kept += [_raw(row, "outbox", [], None) for row in waiting]
    told, since = await _live(call, post_id)
    items = kept + [each for each in told if not any(_same(each, other) for other in kept)]
    return PostEvents(
        items=sorted(items, key=lambda each: each.at, reverse=True),
        not_kept=[LostEvent(**dict(row)) for row in messages if row["payload"] is None],
        live_since=since,
    )


def _same(told: RawEvent, kept: RawEvent) -> bool:
    """Whether a live event is a copy of what is kept elsewhere: a copy has no id of its own."""
    return (told.subject, told.payload) == (kept.subject, kept.payload)


def _raw(row: Any, kept_in: str, consumers: Sequence[str], sequence: int | None) -> RawEvent:
    payload = bytes(row["payload"])
    try:
        shown = json.loads(payload)
    except ValueError:
        shown = payload.decode(errors="backslashreplace")
    return RawEvent(
        id=row["id"],
        subject=row["subject"],
        at=row["at"],
        kept_in=kept_in,
        consumers=list(consumers),
        headers=json.loads(row["headers"]) if row["headers"] else None,
        payload=shown,
        sequence=sequence,
    )


async def _live(call: Call, post_id: UUID) -> tuple[list[RawEvent], datetime | None]:
    """Return what the newest live events say of a post, and from when on they were looked through."""
    source, found, since = Source(call.system.nats), [], None
    try:
        first, last = await source.bounds()
        position = max(first - 1, last - LIVE_PAGES * PAGE)
        while position < last and (page := await source.after(position)):
            position = page[-1].id or last
            for event in page:
                said = json.loads(event.text)
                since = since or datetime.fromisoformat(said["at"])
                if event.post_id == str(post_id) and call.caller.allows(event.scope):
                    found.append(_told(event.type, said))
    except (NatsError, OSError, TopologyError, TimeoutError):
        return [], None
    return found, since


def _told(subject: str, said: dict[str, Any]) -> RawEvent:
    return RawEvent(
        id=f"live/{said['id']}",
        subject=subject,
        at=datetime.fromisoformat(said["at"]),
        kept_in="live",
        consumers=[],
        headers=None,
        payload=said.get("data"),
        sequence=said["id"],
    )
