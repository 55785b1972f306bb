"""The publisher's records: what is to be published, and what a lane has taken on."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import asyncpg

from common.media.items import MediaItem
from common.media.store import ATTACHED
from common.messaging.grouped import Grouped
from common.messaging.job import Job
from common.messaging.ledger import columns
from common.postgres import Database, Queries
from common.telegram.text import RichText
from publisher.package import Package
from publisher.ports import Progress
from publisher.reading import material_of
from publisher.request import Material

Asked = tuple[UUID, UUID | None]


@dataclass(slots=True)
class Task:
    """A publication that a lane has taken on. Its first try was at `since`, and `age` seconds ago when it was read.

    `doubtful` says that it may have been sent: an earlier try was not answered, or was not recorded.
    """

    id: UUID
    package_id: str
    post_id: UUID
    destination: str
    generation: int
    body: RichText
    media: tuple[MediaItem, ...]
    random_ids: tuple[int, ...]
    attempts: int
    after: int
    traceparent: str | None
    since: datetime
    age: float
    progress: Progress = field(default_factory=Progress)
    doubtful: bool = field(default=False)

    @property
    def address(self) -> str:
        """The destination without its platform."""
        return self.destination.partition(":")[2]

    @property
    def begun(self) -> bool:
        """Whether it was sent, or may have been, or a part of it: then it is brought to its end before any other."""
        return self.doubtful or bool(self.progress.posts)


class Overtaken(Exception):
    """The publication is no longer ours: another replica, or a person, has taken it over."""


class Store:
    """Everything that is read and written here, but for the ends of packages."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "publisher.sql")
        self._read: Grouped[Asked, Material | None] = Grouped(self._find_all)

    def close(self) -> None:
        """Stop."""
        self._read.close()

    async def find(self, post_id: UUID, rewrite_id: UUID | None) -> Material | None:
        """Return the given rewrite, or else the newest one, or else the original of a post; None if there is none."""
        return await self._read((post_id, rewrite_id))

    async def bring(self, post_id: UUID, external_id: str, body: RichText, media: Sequence[MediaItem]) -> None:
        """Keep a post that a request carries. It has no content key: whoever asks for a text twice wants it twice."""
        post = {
            "id": str(post_id),
            "external_id": external_id,
            "text": body.text,
            "entities": body.to_json().get("entities", []),
            "media": [{"kind": item.kind, "reference": {"url": item.url}} for item in media],
        }
        await self._database.strict_fetch(self._sql["bring"], [post])

    def add(self, job: Job, package: Package) -> None:
        """Add a package and its publications to what a job commits, with the images that they have."""
        job.write(self._sql["add_packages"], *package.row())
        for row in package.publication_rows():
            job.write(self._sql["add_publications"], *row)
        for publication in package.publications:
            for place, image in publication.attachments():
                job.outdated_by.add(ATTACHED)
                job.write(self._sql["attach"], publication.id, package.id, place, image)

    async def busy_destinations(self) -> list[str]:
        """Return the destinations that have something to send."""
        return [row["destination"] for row in await self._database.fetch(self._sql["busy_destinations"])]

    async def anything_due(self, destination: str) -> bool:
        """Tell whether there is something to take on."""
        row = await self._database.fetchrow(self._sql["anything_due"], destination)
        return bool(row and row[0])

    async def left_over(self, destination: str) -> list[Task]:
        """Return, in order, what the last holder of a lane had taken on."""
        tasks = [_task(row) for row in await self._database.fetch(self._sql["left_over"], destination)]
        for task in tasks:
            task.doubtful = True
        return tasks

    async def take_on(self, destination: str, limit: int, newest: int) -> list[Task]:
        """Take on the oldest that are due, in order. `newest` is the newest message that is known of the place."""
        rows = await self._database.strict_fetch(self._sql["take_on"], destination, limit, newest)
        return [_task(row) for row in sorted(rows, key=lambda row: (row["position"], row["id"]))]

    async def note_attempt(self, task: Task, error: str) -> None:
        """Count a failed attempt that is to be repeated."""
        await self._database.execute(self._sql["note_attempt"], task.id, task.generation, error)

    async def note_progress(self, task: Task, progress: Progress) -> None:
        """Keep how far a send came. Raises Overtaken."""
        arguments = (task.id, task.generation, progress.to_json())
        if not await self._database.strict_fetch(self._sql["note_progress"], *arguments):
            raise Overtaken(f"publication {task.id} is no longer in progress here")
        task.progress = progress

    async def newest_message(self, destination: str) -> int:
        """Return the newest message that is known of a destination, 0 for none."""
        row = await self._database.fetchrow(self._sql["newest_message"], destination)
        return row[0] or 0 if row else 0

    async def taken(self, task: Task) -> frozenset[int]:
        """Return the messages that belong to other publications and may be newer than the first try of this one."""
        rows = await self._database.fetch(self._sql["taken"], task.destination, task.after, task.since)
        return frozenset(row[0] for row in rows)

    async def posts_per_hour(self, destination: str) -> int | None:
        """Return the pace that was set for a destination, or None."""
        row = await self._database.fetchrow(self._sql["posts_per_hour"], destination)
        return row[0] if row else None

    async def _find_all(self, asked: list[Asked]) -> list[Material | None]:
        rows = [(number, *ids) for number, ids in enumerate(asked)]
        found = {row["n"]: row for row in await self._database.fetch(self._sql["read"], *columns(rows, 3))}
        return [material_of(found[number]) if number in found else None for number in range(len(asked))]


def _task(row: asyncpg.Record) -> Task:
    return Task(
        id=row["id"],
        package_id=row["package_id"],
        post_id=row["post_id"],
        destination=row["destination"],
        generation=row["generation"],
        body=RichText.from_json({"text": row["text"], "entities": row["entities"]}),
        media=tuple(MediaItem.from_json(item) for item in row["media"]),
        random_ids=tuple(row["random_ids"]),
        attempts=row["attempts"],
        after=row["last_known_message_id"] or 0,
        traceparent=row["traceparent"],
        since=row["first_try_at"],
        age=row["age"],
        progress=Progress.from_json(row["progress"]),
    )
