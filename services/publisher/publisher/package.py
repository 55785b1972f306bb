"""A publish request as it is stored: one package, and a publication for each of its targets."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from common.events import PublishResult, TargetResult, derive
from common.media.items import MediaItem
from common.telegram.text import RichText


@dataclass(frozen=True, slots=True)
class Target:
    """Where to publish: `telegram:@channel` as platform and address, in the platform's canonical form."""

    platform: str
    address: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.address}"


@dataclass(frozen=True, slots=True)
class Publication:
    """What is to be published at one target."""

    post_id: UUID
    target: Target
    body: RichText
    media: tuple[MediaItem, ...] = ()
    generation: int = 0

    @property
    def id(self) -> UUID:
        """One post is published once at one target, so both together identify."""
        return derive("publication", self.post_id, self.target)

    def attachments(self) -> Iterator[tuple[str, str]]:
        """Yield the places at which the post's images are attached for this publication, each with its hash."""
        for number, item in enumerate(self.media, 1):
            if item.hash:
                yield f"publication/{self.id}/{number}", item.hash


@dataclass(frozen=True, slots=True)
class Package:
    """A request. Its targets stand or fall together; `skipped` are those where the post is already.

    One that `lacks_image` is not to be stored: it comes again when the image that it asked for was made.
    """

    id: str
    post_id: UUID
    rewrite_id: UUID | None
    position: int
    publications: tuple[Publication, ...]
    skipped: tuple[TargetResult, ...] = ()
    notes: tuple[str, ...] = field(default=())
    traceparent: str | None = None
    lacks_image: bool = False

    @property
    def reason(self) -> str | None:
        """What there is to say about it before anything was sent."""
        skips = [f"{skip.target} left out: {skip.error}" for skip in self.skipped]
        return "; ".join([*skips, *self.notes]) or None

    def result(self) -> PublishResult | None:
        """Return how it ended, where it ends at once because nothing is left to do."""
        if self.publications:
            return None
        return PublishResult(
            package_id=self.id,
            post_id=self.post_id,
            rewrite_id=self.rewrite_id,
            status="cancelled",
            reason=self.reason,
            targets=self.skipped,
        )

    def row(self) -> tuple[Any, ...]:
        """Return its row for `add_packages`."""
        skipped = json.dumps([skip.model_dump(mode="json") for skip in self.skipped])
        status = "queued" if self.publications else "cancelled"
        return self.id, self.post_id, self.rewrite_id, status, self.reason, skipped, self.traceparent

    def publication_rows(self) -> list[tuple[Any, ...]]:
        """Return its rows for `add_publications`."""
        return [
            (
                publication.id,
                self.id,
                self.post_id,
                str(publication.target),
                self.position,
                publication.generation,
                publication.body.text,
                json.dumps(publication.body.to_json().get("entities", [])),
                json.dumps([item.to_json() for item in publication.media]),
            )
            for publication in self.publications
        ]
