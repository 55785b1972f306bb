"""Images and files of posts: fetched from their source, or made by a model."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from common.events.envelope import Event, derive


class MediaRequested(Event):
    """Fetch the media of a post that came in, before the post goes on."""

    subject: ClassVar[str] = "media.requested"

    post_id: UUID
    source_id: UUID

    def identity(self) -> UUID:
        """A post's media are fetched once, however often the post is come across."""
        return derive(self.wire_name(), self.post_id)


class ImageRequested(Event):
    """Make an image for a post: for one rewrite of it, or for the post whatever rewrite is published."""

    subject: ClassVar[str] = "image.requested"

    post_id: UUID
    rewrite_id: UUID | None = None
    prompt: str | None = Field(default=None, description="left out: the rewrite's own, else made of the post's text")
    publish_to: tuple[str, ...] | None = Field(
        default=None, description="publish the post to these targets afterwards; an empty list: to those of its routes"
    )


class ImageGenerated(Event):
    """An image was made, stored and attached to its post."""

    subject: ClassVar[str] = "image.generated"

    request_id: str = Field(description="the id of the image.requested event")
    post_id: UUID
    rewrite_id: UUID | None = None
    image: str = Field(description="SHA-256 of the content, as 64 hexadecimal digits")
    publish_to: tuple[str, ...] | None = None


class ImageFailed(Event):
    """There will be no image for this request."""

    subject: ClassVar[str] = "image.failed"

    request_id: str = Field(description="the id of the image.requested event")
    post_id: UUID
    rewrite_id: UUID | None = None
    reason: str
    publish_to: tuple[str, ...] | None = None
