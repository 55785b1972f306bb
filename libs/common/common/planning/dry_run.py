"""What a route would do with posts, step by step, without doing it."""

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, TypeAlias
from uuid import UUID

import asyncpg

from common.catalog import Catalog, Profile, Route
from common.media.items import MediaItem
from common.planning.deciding import asked_length, waits, wants_image
from common.planning.limits import PICTURES, check
from common.planning.material import EXPECTED, Materials
from common.planning.refusals import NotPlannable
from common.planning.slots import Slots, SlotTaker
from common.planning.targets import platform_of, target_of
from common.postgres import Database, Queries
from common.telegram.text import RichText
from common.telegram.titles import titled

Stage: TypeAlias = Literal["duplicate", "rewrite", "image", "approval", "time", "target", "broadcast"]
Outcome: TypeAlias = Literal[
    "new", "duplicate",
    "known", "asked", "untouched",
    "own", "made", "none",
    "waits", "not_needed",
    "slot", "no_slot", "at_once",
    "fits", "noted", "refused", "wrong",
    "follows",
]  # fmt: skip
Ends: TypeAlias = Literal["stops", "waits", "planned", "published"]
OPENING = 200  # characters of a post that are shown


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `detail` is for people; `count` and `limit` are of the text, in the platform's units."""

    stage: Stage
    outcome: Outcome
    detail: str = ""
    target: str | None = None
    at: datetime | None = None
    count: int | None = None
    limit: int | None = None
    post_id: UUID | None = None  # of what it is a duplicate
    rewrite_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What would become of one post."""

    post_id: UUID
    title: str
    opening: str
    collected_at: datetime
    source_id: UUID
    ends: Ends
    steps: Sequence[Step]


class DryRun:
    """Shows what a route would do. `images_made_for` names the platforms for which the publisher has images made."""

    def __init__(
        self,
        database: Database,
        images_made_for: AbstractSet[str] = frozenset(),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database = database
        self._materials = Materials(database)
        self._slots = SlotTaker(database)
        self._catalog = Catalog(database)
        self._images_made_for = images_made_for
        self._now = now
        self._sql = Queries.load("common", "dry_run.sql")

    async def __call__(self, route: Route, posts: int) -> tuple[Profile | None, list[Trial]]:
        """Return the profile of a route, and what would become of the newest posts of its source, the newest first."""
        profile = await self._catalog.profile(route.profile_id)
        rows = await self._database.fetch(self._sql["newest"], route.source_id, route.profile_id, posts)
        taken: dict[str, list[datetime]] = {}
        # The oldest takes its slot first.
        trials = [await self._tried(route, profile, row, taken) for row in reversed(rows)]
        return profile, trials[::-1]

    async def _tried(
        self, route: Route, profile: Profile | None, row: asyncpg.Record, taken: dict[str, list[datetime]]
    ) -> Trial:
        steps, ends = await self._steps(route, profile, row, taken)
        opening = " ".join(row["text"][: OPENING * 2].split())[:OPENING]
        return Trial(row["id"], row["title"], opening, row["collected_at"], row["source_id"], ends, steps)

    async def _steps(
        self, route: Route, profile: Profile | None, row: asyncpg.Record, taken: dict[str, list[datetime]]
    ) -> tuple[list[Step], Ends]:
        if row["duplicate_of"]:
            said = "it was there before, so it goes no further"
            return [Step("duplicate", "duplicate", said, post_id=row["duplicate_of"])], "stops"
        text = RichText.from_json({"text": row["text"], "entities": row["entities"]})
        original, media, pictured = titled(row["title"], text.trimmed()), await self._media(row["id"]), row["pictured"]
        rewrite, body = _rewrite(route, profile, row, original, media=bool(row["has_media"]))
        illustrate = wants_image(route, pictured=pictured, text=bool(original.text))
        steps = [Step("duplicate", "new"), rewrite, _image(route, pictured=pictured, illustrate=illustrate)]
        waiting = waits(route, illustrate=False)
        steps.append(Step("approval", "waits", waiting.reason) if waiting else Step("approval", "not_needed"))
        times = [step async for step in self._times(route, taken)]
        steps += times
        shown = (EXPECTED, *media) if illustrate and not _pictured(media) else media
        steps += self._targets(route, rewrite, body, shown)
        if route.broadcast:
            steps.append(_broadcast(route))
        held = bool(waiting) or any(step.outcome == "no_slot" for step in times)
        return steps, "waits" if held else "planned" if route.slots else "published"

    async def _media(self, post_id: UUID) -> tuple[MediaItem, ...]:
        try:
            return (await self._materials.find(post_id, None)).media
        except NotPlannable:  # it has neither text nor media
            return ()

    async def _times(self, route: Route, taken: dict[str, list[datetime]]) -> AsyncIterator[Step]:
        if route.slots is None:
            yield Step("time", "at_once")
            return
        slots = Slots.model_validate(route.slots)
        for given in dict.fromkeys(route.targets):
            try:
                target = target_of(given)
            except NotPlannable:
                continue  # its step says so
            mine = taken.setdefault(target, [])
            at = await self._slots.find(slots, target, now=self._now(), besides=mine)
            if at is None:
                yield Step("time", "no_slot", f"no slot of {target} is free within a year", target=target)
            else:
                mine.append(at)
                yield Step("time", "slot", target=target, at=at)

    def _targets(
        self, route: Route, rewrite: Step, body: RichText | None, media: Sequence[MediaItem]
    ) -> Iterator[Step]:
        for given in dict.fromkeys(route.targets):
            try:
                target = target_of(given)
            except NotPlannable as error:
                yield Step("target", "wrong", str(error), target=given)
                continue
            platform = platform_of(target)
            shown = (EXPECTED, *media) if platform in self._images_made_for and not _pictured(media) else media
            fit = check(platform, body or RichText(text="…"), shown)
            count = None if body is None else fit.count
            note = fit.note
            if body is None and rewrite.limit and rewrite.limit > fit.limit and fit.fits:
                note = f"the model may write {rewrite.limit}, and {platform} takes {fit.limit}"
            outcome: Outcome = "refused" if not fit.fits else "noted" if note else "fits"
            yield Step("target", outcome, note, target=target, count=count, limit=fit.limit)


def _pictured(media: Sequence[MediaItem]) -> bool:
    return any(item.kind in PICTURES for item in media)


def _rewrite(
    route: Route, profile: Profile | None, row: asyncpg.Record, original: RichText, *, media: bool
) -> tuple[Step, RichText | None]:
    """Return what is rewritten, and the text that would go out where that is known."""
    if not original.text:
        return Step("rewrite", "untouched", "it has no text, so there is nothing to rewrite"), original
    limit = asked_length(profile.max_length if profile else 0, media=media or route.illustrate)
    if row["rewrite_id"] is None:
        return Step("rewrite", "asked", limit=limit), None
    body = RichText.from_json({"text": row["rewritten"], "entities": row["rewritten_entities"]})
    return Step("rewrite", "known", count=body.utf16_length, limit=limit, rewrite_id=row["rewrite_id"]), body


def _image(route: Route, *, pictured: bool, illustrate: bool) -> Step:
    if pictured:
        return Step("image", "own")
    if illustrate:
        must = "without one the post is held" if route.image_required else "without one the post goes out all the same"
        return Step("image", "made", must)
    return Step("image", "none")


def _broadcast(route: Route) -> Step:
    assert route.broadcast
    return Step("broadcast", "follows", count=len(route.broadcast.chats) or None)
