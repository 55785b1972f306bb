"""Trials: a profile, in a version or as a draft that is not saved, tried on past posts.

Each version on each post is one run: a job of the rewriter's, with attempts, quota and budgets as any other. What comes
of it is kept here and goes nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from common.catalog import Profile
from common.events import TrialRequested
from common.messaging.within import Emitting
from common.postgres import Connection, Database, Queries

MOST_POSTS = 5


class NoSuchTrial(Exception):
    """There is no such trial of this profile."""


class NotTriable(Exception):
    """A trial can't be made of this; `field` names what is wrong."""

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(reason)
        self.field = field


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is to be tried: versions of a profile, perhaps a draft, on posts."""

    profile_id: UUID
    versions: Sequence[int]
    draft: Mapping[str, Any] | None
    posts: Sequence[UUID]


@dataclass(frozen=True, slots=True)
class Run:
    """A version, or the draft where that is None, on one post, and what came of it."""

    number: int
    post_id: UUID
    post_title: str
    post_text: str
    post_entities: list[dict[str, Any]]
    version: int | None
    status: str  # requested, succeeded, refused, failed
    reason: str | None  # why it was refused, failed or still waits
    title: str
    text: str
    entities: list[dict[str, Any]]
    hashtags: list[str]
    language: str
    model: str
    calls: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    seconds: float
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Trial:
    """A trial and its runs."""

    id: UUID
    profile_id: UUID
    draft: dict[str, Any] | None
    created_by: str
    created_at: datetime
    runs: Sequence[Run]


class Trials:
    """The trials, as people ask for them. `consumer` is whose events these are in the outbox."""

    def __init__(self, database: Database, rails: Emitting, *, consumer: str) -> None:
        self._database = database
        self._rails = rails
        self._consumer = consumer
        self._sql = statements()

    async def latest_posts(self, source_id: UUID, number: int) -> list[UUID]:
        """Return the newest posts of a source, without duplicates."""
        rows = await self._database.fetch(self._sql["latest_posts"], source_id, number)
        return [row["id"] for row in rows]

    async def request(self, wanted: Wanted, *, by: str) -> UUID:
        """Ask for a trial: its records and its requests are one transaction. Raises NotTriable."""
        await self._check(wanted)
        trial_id = uuid4()
        tried: list[int | None] = [*wanted.versions, *([None] if wanted.draft else [])]
        runs = [(post_id, version) for post_id in wanted.posts for version in tried]
        events = [TrialRequested(trial_id=trial_id, number=number) for number in range(1, len(runs) + 1)]

        async def store(connection: Connection) -> None:
            draft = dict(wanted.draft) if wanted.draft else None
            await connection.execute(self._sql["add"], trial_id, wanted.profile_id, draft, by)
            await connection.execute(
                self._sql["add_runs"],
                trial_id,
                [event.number for event in events],
                [post_id for post_id, _ in runs],
                [version for _, version in runs],
                [str(event.identity()) for event in events],
            )

        await self._rails.tell(events, consumer=self._consumer, cause=f"trial/{trial_id}", store=store)
        return trial_id

    async def get(self, profile_id: UUID, trial_id: UUID) -> Trial:
        """Return a trial. Raises NoSuchTrial."""
        row = await self._database.fetchrow(self._sql["get"], profile_id, trial_id)
        if row is None:
            raise NoSuchTrial(f"this profile has no trial {trial_id}")
        runs = await self._database.fetch(self._sql["runs"], trial_id)
        return Trial(**dict(row), runs=[Run(**dict(run)) for run in runs])

    async def _check(self, wanted: Wanted) -> None:
        if not wanted.posts:
            raise NotTriable("source_id", "there is no post to try it on")
        for version in wanted.versions:
            if await self._database.fetchrow(self._sql["values"], wanted.profile_id, version) is None:
                raise NotTriable("versions", f"the profile has no version {version}")
        rows = await self._database.fetch(self._sql["known_posts"], list(wanted.posts))
        if missing := set(wanted.posts) - {row["id"] for row in rows}:
            raise NotTriable("post_ids", f"there is no post with a text {min(map(str, missing))}")


@dataclass(frozen=True, slots=True)
class TrialRun:
    """A run as it is to be done."""

    trial_id: UUID
    number: int
    post_id: UUID
    profile: Profile
    ended: bool


async def run_of(database: Database, trial_id: UUID, number: int) -> TrialRun | None:
    """Return a run with the values that it tries, or None where the trial is not there any more."""
    row = await database.fetchrow(statements()["run"], trial_id, number)
    if row is None:
        return None
    if row["version"] is None:
        values = {**row["draft"], "id": row["profile_id"], "version": None}
    elif found := await database.fetchrow(statements()["values"], row["profile_id"], row["version"]):
        values = dict(found)
    else:
        return None
    profile = Profile(**values | {"keep": tuple(values["keep"])})
    return TrialRun(trial_id, number, row["post_id"], profile, row["status"] is not None)


def statements() -> Queries:
    """Return the statements about trials."""
    return Queries.load("common", "trials.sql")
