"""Posts on their way through the pipeline. They carry ids: what a post says is in the records."""

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from common.events.envelope import Event, derive


class PostCollected(Event):
    """A post came in that was not there before."""

    subject: ClassVar[str] = "post.collected"
    begins_trace: ClassVar[bool] = True

    post_id: UUID
    source_id: UUID

    def identity(self) -> UUID:
        """A post is collected once, whoever comes across it."""
        return derive(self.wire_name(), self.post_id)


class PostRewritten(Event):
    """A post was rewritten for one of its source's routes."""

    subject: ClassVar[str] = "post.rewritten"

    post_id: UUID
    route_id: UUID
    rewrite_id: UUID
    illustrate: bool = Field(default=False, description="an image was asked for; the post goes on when it is known")
    held: bool = Field(default=False, description="a person asked for this rewrite: it awaits approval on any route")


class RewriteRequested(Event):
    """A person wants another rewrite of a post that a route holds."""

    subject: ClassVar[str] = "rewrite.requested"

    post_id: UUID
    route_id: UUID
    rewrite_id: UUID = Field(description="the one that is held, and that the person did not like")
    remark: str = Field(default="", max_length=1000, description="what the model is to do differently")
    by: str = Field(default="", description="who asks")
