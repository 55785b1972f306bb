"""What the imagegen's use case needs."""

from dataclasses import dataclass
from typing import BinaryIO, Protocol
from uuid import UUID

from common.media.store import Image, Origin
from common.posts import Post
from common.spending.calls import Purpose


@dataclass(frozen=True, slots=True)
class Drawn:
    """What a model drew: the content of a file, which may be anything, and what it took.

    `model` is the one that was asked: another one than the painter's where a budget is used up.
    """

    model: str
    content: BinaryIO
    input_tokens: int
    output_tokens: int
    cost_usd: float
    seconds: float


class ContentRefused(Exception):
    """The model will not draw this; the message is its reason."""


class Painter(Protocol):
    """A model that draws. `model` and `size` say how it is asked."""

    model: str
    size: str

    async def draw(self, prompt: str, purpose: Purpose) -> Drawn:
        """Return what it drew.

        Raises ContentRefused, Retry where it is busy, refuses our key, or its budget is used up, Reject where it will
        never take this request, and ModelUnavailable where it failed.
        """
        ...


class Album(Protocol):
    """Where pictures are kept."""

    async def keep_picture(self, content: BinaryIO, *, origin: Origin) -> Image:
        """Store a picture, decoded before. Raises NotAPicture and StoreUnavailable."""
        ...


@dataclass(frozen=True, slots=True)
class Rewritten:
    """What a picture for a rewrite is drawn from."""

    post_id: UUID
    route_id: UUID | None
    route: str  # its name
    profile_id: UUID | None
    title: str
    text: str
    image_prompt: str


@dataclass(frozen=True, slots=True)
class Made:
    """The image that was made for a request before."""

    hash: str
    prompt: str
    model: str
    size: str


class Records(Protocol):
    """What is known of posts and of their images."""

    async def post(self, post_id: UUID) -> Post | None:
        """Return a post."""
        ...

    async def rewritten(self, rewrite_id: UUID) -> Rewritten | None:
        """Return a rewrite."""
        ...

    async def made(self, request: str) -> Made | None:
        """Return the image that was made for this request before, if it is still kept."""
        ...
