"""Collecting: the requests to read a source, and to look whether there is something to read."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from common.events.envelope import Event, derive


class CollectRequested(Event):
    """Read what is new in a source."""

    subject: ClassVar[str] = "collect.requested"

    source_id: UUID
    reason: Literal["schedule", "live", "connected", "continued", "manual"] = "manual"
    after: int | None = Field(default=None, description="of a continuation: the message id up to which it was read")

    def identity(self) -> UUID | None:
        """A source is read on from one place once, however many runs came to that place."""
        if self.reason != "continued" or self.after is None:
            return None
        return derive(self.wire_name(), self.source_id, "after", self.after)


class CheckRequested(Event):
    """Look whether there is something to read at an address. Nothing is collected by it."""

    subject: ClassVar[str] = "check.requested"

    check_id: UUID
    kind: Literal["telegram", "feed"]
    address: str
    allow_private: bool = Field(default=False, description="of a feed: it may be in a private network")
