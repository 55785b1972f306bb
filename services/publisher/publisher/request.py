"""A publish request becomes a package and its publications."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from common.events import PublishRequested, TargetResult, derive
from common.failures import Reject, Retry, Skip
from common.media.items import ALBUM_ITEMS, MediaItem
from common.planning.targets import OTHER_NAMES
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText
from publisher.package import Package, Publication, Target
from publisher.ports import Platform

log = logging.getLogger(__name__)

PICTURES = frozenset({"photo", "video", "animation"})
OPEN_PACKAGE_SECONDS = 5.0  # until a request is looked at again whose target is being rolled back


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a post stands at a destination already; `rolling_back`: an older package is not through with it."""

    status: str
    message_ids: tuple[int, ...]
    url: str | None
    generation: int
    rolling_back: bool


@dataclass(frozen=True, slots=True)
class Material:
    """What there is to publish. `left_out` says of each medium that can't be published why, `withheld` of the post."""

    body: RichText
    media: tuple[MediaItem, ...]
    left_out: tuple[str, ...] = ()
    rewrite_id: UUID | None = None
    duplicate_of: UUID | None = None
    withheld: str | None = None
    image_failed: bool = False
    targets: tuple[str, ...] = ()
    standings: Mapping[str, Standing] | None = None

    @property
    def pictured(self) -> bool:
        """Whether there is something to be seen."""
        return any(item.kind in PICTURES for item in self.media)

    @property
    def notes(self) -> tuple[str, ...]:
        """What people should know of its media."""
        notes = []
        if self.left_out:
            notes.append(f"{len(self.left_out)} of its media left out: {', '.join(dict.fromkeys(self.left_out))}")
        if (more := len(self.media) - ALBUM_ITEMS) > 0:
            notes.append(f"{more} of its media left out: an album has up to {ALBUM_ITEMS}")
        return tuple(notes)


class Materials(Protocol):
    """Where posts are found, and where a request leaves its own."""

    async def find(self, post_id: UUID, rewrite_id: UUID | None) -> Material | None:
        """Return the given rewrite, or else the newest one, or else the original of a post; None if there is none."""

    async def bring(self, post_id: UUID, external_id: str, body: RichText, media: Sequence[MediaItem]) -> None:
        """Keep a post that a request carries. Safe to repeat."""


class Requests:
    """Takes publish requests. `missing` says of platforms that can't be used which setting they lack."""

    def __init__(
        self, materials: Materials, platforms: Mapping[str, Platform], missing: Mapping[str, str] | None = None
    ) -> None:
        self._materials = materials
        self._platforms = platforms
        self._missing = missing or {}

    async def package(
        self, request: PublishRequested, event_id: str, position: int, traceparent: str | None = None
    ) -> Package:
        """Return what is to be stored for a request.

        Raises Reject where it can't be carried out ever, Skip where there is nothing to send, and Retry while an older
        request for the same post and target is being rolled back.
        """
        targets = self._targets(request.targets)
        post_id, material = await self._material(request, event_id)
        targets = targets or self._targets(material.targets)
        if not targets:
            raise Reject(f"post {post_id}: the request names no target, and no route of its source has one")
        standings = material.standings or {}
        fresh, skipped = [], []
        for target in targets:
            standing = standings.get(str(target))
            if standing and standing.rolling_back:
                raise Retry(OPEN_PACKAGE_SECONDS, f"{target}: an older request for this post is being rolled back")
            if standing and standing.status in ("failed", "cancelled"):
                fresh.append(self._publication(post_id, target, material, standing.generation))
            elif standing:
                skipped.append(_skipped(target, standing))
            else:
                fresh.append(self._publication(post_id, target, material, 0))
        for skip in skipped:
            log.info("post %s: %s is left out: %s", post_id, skip.target, skip.error)
        return Package(
            event_id,
            post_id,
            material.rewrite_id,
            position,
            tuple(fresh),
            tuple(skipped),
            material.notes,
            traceparent,
            lacks_image=bool(fresh) and not material.pictured and self._asks_for_image(request, fresh, material),
        )

    def _asks_for_image(
        self, request: PublishRequested, publications: Sequence[Publication], material: Material
    ) -> bool:
        """Tell whether an image is to be made first: by request, or for a platform, unless that has failed before."""
        wanting = any(self._platforms[each.target.platform].has_images_made for each in publications)
        return request.illustrate or (wanting and not material.image_failed)

    async def _material(self, request: PublishRequested, event_id: str) -> tuple[UUID, Material]:
        if request.post_id is None:
            post_id = derive("post", "publish.requested", event_id)
            body = from_markdown(request.text or "")
            media = tuple(MediaItem("photo", url=photo.url) for photo in request.media)
            if not body.text and not media:
                raise Reject("the request has neither text nor media")
            await self._materials.bring(post_id, event_id, body, media)
            return post_id, Material(body, media)
        material = await self._materials.find(request.post_id, request.rewrite_id)
        if material is None:
            raise Reject(f"there is no post {request.post_id}")
        if request.rewrite_id is not None and material.rewrite_id is None:
            raise Reject(f"post {request.post_id} has no rewrite {request.rewrite_id} that succeeded")
        if material.duplicate_of is not None:
            raise Skip(f"post {request.post_id} is a duplicate of {material.duplicate_of}")
        if material.withheld is not None:
            raise Skip(f"post {request.post_id} {material.withheld}")
        if not material.body.text.strip() and not material.media:
            raise Skip(f"post {request.post_id} has no text; {'; '.join(material.notes) or 'it has no media either'}")
        return request.post_id, material

    def _targets(self, given: Sequence[str]) -> list[Target]:
        targets = {}
        for target in given:
            name, colon, address = target.strip().partition(":")
            name = OTHER_NAMES.get(name.lower(), name.lower())
            platform = self._platforms.get(name)
            if colon and name in self._missing:
                raise Reject(f"target {target!r}: {self._missing[name]}")
            if not colon or platform is None:
                known = ", ".join(sorted(self._platforms))
                raise Reject(f"target {target!r}: it must be platform:address, with one of these platforms: {known}")
            try:
                found = Target(platform.name, platform.canonical(address))
            except ValueError as error:
                raise Reject(f"target {target!r}: {error}") from None
            targets[str(found)] = found
        return list(targets.values())

    def _publication(self, post_id: UUID, target: Target, material: Material, generation: int) -> Publication:
        body = self._platforms[target.platform].fitted(material.body, caption=bool(material.media))
        return Publication(post_id, target, body, material.media[:ALBUM_ITEMS], generation)


def _skipped(target: Target, standing: Standing) -> TargetResult:
    why = {"succeeded": "already published", "unknown": "awaits a person, as nobody knows whether it was published"}
    return TargetResult(
        target=str(target),
        status="cancelled",
        message_ids=standing.message_ids,
        url=standing.url,
        error=why.get(standing.status, "already under way by another request"),
    )
