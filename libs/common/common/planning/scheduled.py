"""Scheduled posts as people work with them: plan, change, cancel, retry, publish now. The scheduler publishes them."""

from collections.abc import Callable, Container
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg

from common.planning.limits import PICTURES, Fit, check
from common.planning.material import EXPECTED, Material, Materials
from common.planning.refusals import (
    DoesNotFit,
    NoSuchScheduledPost,
    NothingToPlan,
    PlannedAlready,
    TooLate,
    WrongTime,
)
from common.planning.targets import Targets, platform_of
from common.postgres import Database, Queries
from common.telemetry.propagation import current_trace

PAST = timedelta(minutes=1)  # a time that has passed by no more than this is meant to be now


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be planned. One of `post_id` and `content_id` is given; the target may be the platform's default.

    `cut` lets a text that is too long be cut by the platform's rules.
    """

    scheduled_time: datetime
    post_id: UUID | None = None
    content_id: UUID | None = None
    platform: str | None = None
    target: str | None = None
    rewrite_id: UUID | None = None
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Preview:
    """What a platform would get, and whether it takes it. `fit` is None for a content that is not written yet."""

    target: str
    material: Material
    fit: Fit | None


class ScheduledPosts:
    """Plans posts. Whoever calls is told by an exception of `refusals` what can't be done.

    `images_made_for` names the platforms for which the publisher has an image made (`images.PlatformImages`).
    """

    def __init__(
        self,
        database: Database,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        *,
        images_made_for: Container[str] = (),
    ) -> None:
        self._images_made_for = images_made_for
        self._database = database
        self._now = now
        self._targets = Targets(database)
        self._materials = Materials(database)
        self._sql = Queries.load("common", "planning.sql")

    async def plan(self, order: Order, by: str) -> UUID:
        """Plan a post and return the id of the plan. Raises NotPlannable and PlannedAlready."""
        preview = await self.preview(order.post_id, order.content_id, order.platform, order.target, order.rewrite_id)
        material, target = preview.material, preview.target
        self._check_time(order.scheduled_time)
        _check_fit(preview, cut=order.cut)
        await self._check_free(material.post_id, target)
        row = await self._write(
            "plan",
            material.post_id,
            material.content_id,
            order.rewrite_id,
            None,
            None,
            platform_of(target),
            target,
            order.scheduled_time,
            None,
            by,
            current_trace(),
        )
        if row is None:
            raise await self._planned(material.post_id, target)
        planned: UUID = row["id"]
        return planned

    async def preview(
        self,
        post_id: UUID | None,
        content_id: UUID | None,
        platform: str | None,
        target: str | None,
        rewrite_id: UUID | None = None,
    ) -> Preview:
        """Return what the platform would get. Raises NotPlannable."""
        if (post_id is None) == (content_id is None):
            raise NothingToPlan("give either post_id or content_id")
        material = await self._materials.find(post_id, content_id, rewrite_id)
        target = await self._targets.resolve(platform, target)
        media = material.media
        if platform_of(target) in self._images_made_for and not any(item.kind in PICTURES for item in media):
            media = (EXPECTED, *media)
        fit = check(platform_of(target), material.body, media) if material.body else None
        return Preview(target, material, fit)

    async def get(self, scheduled_id: UUID) -> asyncpg.Record:
        """Return a row of scheduled_posts. Raises NoSuchScheduledPost."""
        row = await self._database.fetchrow(self._sql["get"], scheduled_id)
        if row is None:
            raise NoSuchScheduledPost(f"there is no scheduled post {scheduled_id}")
        return row

    async def change(self, scheduled_id: UUID, *, cut: bool = False, **given: Any) -> None:
        """Change time, platform, target or rewrite of a post that waits for its time.

        Raises NotPlannable, PlannedAlready, TooLate, NoSuchScheduledPost.
        """
        row = await self.get(scheduled_id)
        self._check_open(row, "changed")
        moved = "platform" in given or "target" in given
        at, rewrite_id = given.get("scheduled_time", row["scheduled_time"]), given.get("rewrite_id", row["rewrite_id"])
        target = given.get("target") if moved else row["target"]
        preview = await self.preview(row["post_id"], None, given.get("platform"), target, rewrite_id)
        if "scheduled_time" in given:
            self._check_time(at)
        if moved or "rewrite_id" in given:
            _check_fit(preview, cut=cut)
        if preview.target != row["target"]:
            await self._check_free(row["post_id"], preview.target)
        values = at, platform_of(preview.target), preview.target, rewrite_id
        await self._decided(scheduled_id, await self._write("reschedule", scheduled_id, *values), "changed")

    async def cancel(self, scheduled_id: UUID, by: str) -> None:
        """Call off what waits for its time, or put aside what failed. Raises TooLate, NoSuchScheduledPost."""
        await self._decided(scheduled_id, await self._write("cancel", scheduled_id, by), "cancelled")

    async def retry(self, scheduled_id: UUID) -> None:
        """Publish now what failed or was called off. Raises TooLate, PlannedAlready, NoSuchScheduledPost."""
        row = await self.get(scheduled_id)
        if row["status"] not in ("failed", "cancelled"):
            raise TooLate(_too_late(row, "retried"))
        await self._check_free(row["post_id"], row["target"])
        await self._decided(scheduled_id, await self._write("retry", scheduled_id, current_trace()), "retried")

    async def publish_now(self, scheduled_id: UUID) -> None:
        """Publish now what waits for its time. Raises TooLate, NoSuchScheduledPost."""
        await self._decided(
            scheduled_id, await self._write("publish_now", scheduled_id, current_trace()), "published now"
        )

    def _check_time(self, moment: datetime) -> None:
        if moment < self._now() - PAST:
            raise WrongTime(f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC has passed")

    async def _check_free(self, post_id: UUID, target: str) -> None:
        if published := await self._database.fetchrow(self._sql["published_there"], post_id, target):
            raise PlannedAlready(f"the post is published at {target} already: {published['url'] or 'by a request'}")
        if await self._database.fetchrow(self._sql["open_plan"], post_id, target):
            raise await self._planned(post_id, target)

    async def _planned(self, post_id: UUID, target: str) -> PlannedAlready:
        row = await self._database.fetchrow(self._sql["open_plan"], post_id, target)
        if row is None:  # it has ended meanwhile
            return PlannedAlready(f"the post was planned for {target} by somebody else; try again")
        at = f"{row['scheduled_time'].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
        return PlannedAlready(f"the post is planned for {target} already, at {at}, as {row['id']}", row["id"])

    async def _write(self, statement: str, *values: Any) -> asyncpg.Record | None:
        try:
            rows = await self._database.strict_fetch(self._sql[statement], *values)
        except asyncpg.UniqueViolationError:
            raise PlannedAlready("the post is planned for this target already") from None
        return rows[0] if rows else None

    async def _decided(self, scheduled_id: UUID, done: asyncpg.Record | None, what: str) -> None:
        if done is None:
            row = await self.get(scheduled_id)
            raise TooLate(_too_late(row, what))

    def _check_open(self, row: asyncpg.Record, what: str) -> None:
        if row["status"] != "scheduled":
            raise TooLate(_too_late(row, what))


def _too_late(row: asyncpg.Record, what: str) -> str:
    status = "being published at this moment" if row["status"] == "publishing" else row["status"]
    return f"scheduled post {row['id']} can't be {what}: it is {status}"


def _check_fit(preview: Preview, *, cut: bool) -> None:
    fit = preview.fit
    if fit and not fit.fits and not (cut and fit.cuttable):
        raise DoesNotFit(fit.note)
