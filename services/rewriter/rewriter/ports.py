"""What the rewriter's use case needs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from common.catalog import Profile, Route, Source
from common.posts import Post
from common.spending.calls import Purpose
from common.trials import TrialRun


@dataclass(frozen=True, slots=True)
class Question:
    """What a model is asked, and for what: messages as (role, content)."""

    model: str
    messages: tuple[tuple[str, str], ...]
    purpose: Purpose


@dataclass(frozen=True, slots=True)
class Reply:
    """What a model said. `refusal` is its reason where it would not; `finish_reason` is length where it was cut off.

    `model` is the one that was asked: another one than the question's where a budget is used up.
    """

    model: str
    content: str
    refusal: str | None
    finish_reason: str
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float


class Model(Protocol):
    """A language model."""

    async def allowed(self, purpose: Purpose, model: str) -> None:
        """Raise Retry where a budget that is used up allows no question."""
        ...

    async def ask(self, question: Question) -> Reply:
        """Return its reply.

        Raises Retry where it is busy, refuses our key, or its budget is used up, Reject where it will never take this
        question, and ModelUnavailable where it failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class RecentPost:
    """What a destination was told lately: a title and the beginning of the text."""

    post_id: UUID
    title: str
    opening: str


@dataclass(frozen=True, slots=True)
class Content:
    """A post that is to be written from a brief."""

    id: UUID
    post_id: UUID
    profile_id: UUID | None
    illustrate: bool
    deleted: bool


class Briefs(Protocol):
    """What is known of contents."""

    async def content(self, content_id: UUID) -> Content | None:
        """Return a content."""
        ...

    async def post(self, post_id: UUID) -> Post | None:
        """Return a post: a content's brief."""
        ...

    async def profile(self, profile_id: UUID) -> Profile | None:
        """Return a profile."""
        ...


class Tries(Protocol):
    """What is known of trials."""

    async def trial_run(self, trial_id: UUID, number: int) -> TrialRun | None:
        """Return a run of a trial."""
        ...

    async def post(self, post_id: UUID) -> Post | None:
        """Return a post."""
        ...

    async def source(self, source_id: UUID) -> Source | None:
        """Return a source."""
        ...


class Records(Protocol):
    """What is known of posts and of where they go."""

    async def post(self, post_id: UUID) -> Post | None:
        """Return a post."""
        ...

    async def has_picture(self, post_id: UUID) -> bool:
        """Return whether a post brought along a photo, video or animation that can be published."""
        ...

    async def source(self, source_id: UUID) -> Source | None:
        """Return a source."""
        ...

    async def route(self, route_id: UUID) -> Route | None:
        """Return one route, enabled or not."""
        ...

    async def has_image(self, post_id: UUID, rewrite_id: UUID) -> bool:
        """Return whether an image was made for a rewrite, or for its post."""
        ...

    async def routes_of(self, source_id: UUID | None) -> Sequence[Route]:
        """Return the enabled routes of a source."""
        ...

    async def profile(self, profile_id: UUID) -> Profile | None:
        """Return a profile."""
        ...

    async def recent(self, targets: tuple[str, ...]) -> Sequence[RecentPost]:
        """Return what was rewritten last for any of these targets, the latest first."""
        ...
