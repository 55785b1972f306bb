"""Contents: posts that are written from a brief instead of being collected."""

from typing import ClassVar
from uuid import UUID

from common.events.envelope import Event


class ContentRequested(Event):
    """Write a post from a brief. What the brief says is in the records."""

    subject: ClassVar[str] = "content.requested"

    content_id: UUID
    post_id: UUID


class ContentCreated(Event):
    """A post was written from a brief."""

    subject: ClassVar[str] = "content.created"

    content_id: UUID
    post_id: UUID
    rewrite_id: UUID
