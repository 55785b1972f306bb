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
