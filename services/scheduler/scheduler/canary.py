"""The canary: a marked post that goes the whole way to a private target now and then, so that a break is noticed."""

import logging
from dataclasses import dataclass
from datetime import UTC, datetime

from common.catalog import Catalog
from common.events import NotifyRequested, PostCollected
from common.messaging.rails import Rails
from common.postgres import Connection, Database, Queries
from common.posts import NewPost, Posts
from common.telegram.text import RichText

log = logging.getLogger(__name__)

CONSUMER = "scheduler"
NAME = "canary"
WATCH_SECONDS = 1.0  # between two looks at one that is under way
LOST_AFTER = 10  # times its limit: then another one is tried


@dataclass(frozen=True, slots=True)
class Canary:
    """Where canaries go, how often, and from when on one is late; in seconds."""

    target: str
    pause: float
    limit: float


class CanaryWorker:
    """Sends a canary when the last one has ended and `pause` has passed. While one is under way there is no other."""

    def __init__(self, database: Database, rails: Rails, canary: Canary) -> None:
        self._database = database
        self._rails = rails
        self._canary = canary
        self._catalog = Catalog(database)
        self._posts = Posts(database)
        self._sql = Queries.load(__package__, "canary.sql")

    async def look(self) -> float | None:
        """Follow the canary that is under way, or send one; return the seconds until the next look."""
        if not await self._followed():
            return WATCH_SECONDS
        row = await self._database.fetchrow(self._sql["due"], self._canary.pause)
        if row and row["seconds"] is not None and row["seconds"] > 0:
            return float(row["seconds"])
        await self._send()
        return WATCH_SECONDS

    async def _followed(self) -> bool:
        """Return whether none is under way any more."""
        row = await self._database.fetchrow(self._sql["open"])
        if row is None:
            return True
        if row["status"] == "succeeded":
            outcome = "published" if row["took"] <= row["limit_seconds"] else "late"
            await self._end(row["post_id"], outcome, row["took"])
            return True
        lost = not row["paused"] and row["seconds"] > LOST_AFTER * row["limit_seconds"]
        if row["state"] in ("dead", "rejected", "cancelled") or lost:
            why = row["last_error"] or f"it is {row['state']} after {row['seconds']:.0f} s"
            await self._end(row["post_id"], "failed", row["seconds"], why)
            notice = NotifyRequested(
                kind="scheduler.canary_failed",
                severity="error",
                title="The canary did not come through",
                detail=f"{why} (post {row['post_id']}, to {row['target']})",
                fingerprint="scheduler.canary_failed",
                post_id=row["post_id"],
            )
            await self._rails.tell([notice], consumer=CONSUMER, cause=f"canary/{row['post_id']}")
            return True
        return False

    async def _end(self, post_id: object, outcome: str, seconds: float, detail: str = "") -> None:
        await self._database.execute(self._sql["end"], post_id, outcome, seconds, detail)
        log.info("the canary is %s after %.1f s", outcome, seconds)

    async def _send(self) -> None:
        source_id = await self._catalog.put_source(NAME, self._canary.target, title="Canary")
        profile_id = await self._catalog.profile_named(NAME) or await self._catalog.put_profile(
            NAME, instructions="Repeat the text as it is, with its numbers.", by="scheduler"
        )
        await self._catalog.put_route(
            f"Canary to {self._canary.target}",
            source_id=source_id,
            profile_id=profile_id,
            targets=[self._canary.target],
        )
        now = datetime.now(UTC)
        text = f"Canary of {now:%Y-%m-%d %H:%M:%S.%f} UTC: this post shows that the whole way from here to you is open."
        [brought] = await self._posts.add([NewPost(source_id, now.isoformat(), RichText(text=text), posted_at=now)])

        async def begin(connection: Connection) -> None:
            values = brought.post_id, self._canary.target, self._canary.limit
            await connection.execute(self._sql["begin"], *values)

        event = PostCollected(post_id=brought.post_id, source_id=source_id)
        await self._rails.tell([event], consumer=CONSUMER, cause=f"canary/{brought.post_id}", store=begin)
