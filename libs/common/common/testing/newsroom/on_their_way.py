"""Posts of the newsroom, each as far on its way as its state says, with the records that services would have left."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

from common.contracts import topology
from common.events import Event, PostCollected, PublishRequested, derive, emitted
from common.messaging.dead_letters import Dead, keep
from common.postgres import Queries
from common.posts import Media, NewPost, Posts
from common.telegram.markdown import from_markdown

if TYPE_CHECKING:
    from common.testing.newsroom.newsroom import Newsroom

SQL = Queries.load(__package__, "newsroom.sql")
MODEL = "newsroom-large"


@dataclass
class Way:
    """A post on its way. `at` is when it came in."""

    room: "Newsroom"
    post_id: UUID
    given: dict[str, Any]
    at: datetime
    rewrite_id: UUID | None = None

    @property
    def route_id(self) -> UUID:
        """Return the route of its source."""
        return self.room.routes[self.room.route_of[self.given["source"]]]

    def after(self, seconds: float) -> datetime:
        """Return a moment so long after it came in."""
        return self.at + timedelta(seconds=seconds)

    async def job(
        self, event: Event, consumer: str, status: str, seconds: float, error: tuple[str, str] | None = None
    ) -> str:
        """Note a job; returns the id of its event."""
        durable = next(each for each in topology().durables() if each.name == consumer)
        event_id = str(event.identity() or derive(self.post_id, consumer))
        error_class, text = error or (None, None)
        values = durable.queue, durable.subject, self.post_id, status, 5 if error else 1, text, error_class
        trace = derive("trace", self.post_id).hex
        await self.room.database.execute(SQL["job"], consumer, event_id, *values, trace, self.after(seconds))
        return event_id


async def bring(room: "Newsroom", given: dict[str, Any]) -> None:
    """Bring a post in, and let it come as far as its state says."""
    post_id = await _collect(room, given)
    room.posts.setdefault(given["state"], []).append(post_id)
    room.in_order.append(post_id)
    if given["state"] == "duplicate":
        return
    way = Way(room, post_id, given, datetime.now(UTC) - timedelta(minutes=given["ago"]))
    collected = PostCollected(post_id=post_id, source_id=room.sources[given["source"]])
    error = given.get("error")
    if error and error[0] == "rewriter":
        await die(way, collected, "rewriter", error[1], error[2])
        return
    await way.job(collected, "rewriter", "queued" if given["state"] == "pending" else "succeeded", 1)
    if given["state"] == "pending":
        return
    await _rewrite(way)
    if given["state"] == "rejected":
        return
    await _decide(way)


async def _collect(room: "Newsroom", given: dict[str, Any]) -> UUID:
    number = len(room.in_order) + 4100
    photos = tuple(
        Media("photo", {"url": f"https://photos.example.com/{number}-{photo}.jpg"}, "image/jpeg", 182_000)
        for photo in range(given.get("photos", 0))
    )
    posted_at = datetime.now(UTC) - timedelta(minutes=given["ago"] + 1)
    url = given.get("url") or f"https://t.me/{given['source']}/{number}"
    body = from_markdown(given["text"].strip())
    post = NewPost(room.sources[given["source"]], str(number), body, given.get("title", ""), url, 0, posted_at, photos)
    trace = derive("trace", post.id).hex
    [brought] = await Posts(room.database).add([post], trace_id=trace)
    await room.database.execute(SQL["aged"], brought.post_id, given["ago"])
    return brought.post_id


async def _rewrite(way: Way) -> None:
    """What the model made of it; or why it would not."""
    given = way.given.get("rewrite", {})
    way.rewrite_id = uuid4()
    body = from_markdown(given.get("text", "").strip())
    await way.room.database.execute(
        SQL["rewrite"],
        way.rewrite_id,
        way.post_id,
        way.route_id,
        "succeeded" if given else "refused",
        way.given.get("reason"),
        given.get("title", ""),
        body.text,
        body.to_json().get("entities", []),
        given.get("hashtags", []),
        MODEL,
        way.after(7),
        "a quiet harbour at dawn, watercolour" if way.given["source"] == "science" else "",
    )
    outcome = "answered" if given else "refused"
    values = MODEL, outcome, way.route_id, way.post_id, str(way.post_id), 812, 246, 0.0041, 5.2
    await way.room.database.execute(SQL["call"], way.after(7), *values)


async def _decide(way: Way) -> None:
    state = way.given["state"]
    decided, by = {
        "awaiting": ("hold", None),
        "scheduled": ("schedule", "user:anna"),
        "cancelled": ("schedule", "user:anna"),
    }.get(state, ("publish", "user:anna"))
    reason = "the route asks for approval" if decided == "hold" else ""
    routing = way.post_id, way.route_id, way.rewrite_id, decided, reason, way.after(9 if by is None else 300), by
    await way.room.database.execute(SQL["routing"], *routing)
    if state in ("scheduled", "cancelled"):
        for slot in way.given.get("slots", [{"target": "telegram:@zarechensk_today", "minutes": 60}]):
            when = datetime.now(UTC) + timedelta(minutes=slot["minutes"])
            values = way.post_id, way.rewrite_id, way.route_id, slot["target"], when, state
            row = await way.room.database.strict_fetch(SQL["scheduled"], *values)
            way.room.scheduled.append(row[0]["id"])
    elif state in ("published", "unknown"):
        await _publish(way, "succeeded" if state == "published" else "unknown")
    elif error := way.given.get("error"):
        event = PublishRequested(post_id=way.post_id, rewrite_id=way.rewrite_id)
        await die(way, event, error[0], error[1], error[2])


async def _publish(way: Way, status: str) -> None:
    event = PublishRequested(post_id=way.post_id, rewrite_id=way.rewrite_id)
    package = await way.job(event, "publisher", "succeeded", 301)
    ended = "succeeded" if status == "succeeded" else "in_progress"
    await way.room.database.execute(SQL["package"], package, way.post_id, way.rewrite_id, ended, way.after(301))
    body = from_markdown(way.given["rewrite"]["text"].strip())
    row = await way.room.database.fetchrow("SELECT targets FROM routes WHERE id = $1", way.route_id)
    for target in row["targets"] if row else []:
        number = 900 + len(way.room.in_order)
        sent = [number] if status == "succeeded" else []
        url = f"https://t.me/{target.partition(':')[2].lstrip('@')}/{number}" if sent else None
        doubt = None if sent else "ConnectionLost: the connection broke while the answer was awaited"
        values = status, body.text, body.to_json().get("entities", []), sent, url, doubt, way.after(303)
        await way.room.database.execute(
            SQL["publication"], derive(way.post_id, target), package, way.post_id, target, *values
        )


async def die(way: Way, event: Event, consumer: str, error_class: str, error: str) -> None:
    """Let a job end as a dead letter: the job with its attempts, the row, and the letter in its stream."""
    event_id = await way.job(event, consumer, "failed", 1, (error_class, error))
    way.room.jobs.append(f"{consumer}/{event_id}")
    for attempt in range(1, 6):
        outcome = "failed" if attempt == 5 else "retry"
        values = attempt, error_class, error, way.after(1), outcome
        await way.room.database.execute(SQL["attempt"], consumer, event_id, *values)
    message = emitted(event, event_id=event_id, consumer="collector", cause_id=event_id)
    durable = next(each for each in topology().durables() if each.name == consumer)
    sequence = 100 + len(way.room.letters)
    about = durable, sequence, message.subject, event_id, way.post_id
    dead = Dead(*about, message.headers, message.payload, 5, error_class, error)
    await way.room.database.execute(keep(), *([value] for value in dead.row()))
    letter = dead.letter()
    await way.room.stream.publish(letter.subject, letter.payload, headers=dict(letter.headers))
    row = await way.room.database.strict_fetch(
        "UPDATE dead_letters SET died_at = $3 WHERE (consumer, event_id) = ($1, $2) RETURNING number",
        consumer,
        event_id,
        way.after(310),
    )
    way.room.letters.append(row[0]["number"])
