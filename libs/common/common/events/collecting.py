"""Collecting: the request to read a source."""

from typing import ClassVar, Literal
from uuid import UUID

from common.events.envelope import Event


class CollectRequested(Event):
    """Read what is new in a source."""

    subject: ClassVar[str] = "collect.requested"

    source_id: UUID
    reason: Literal["schedule", "live", "connected", "continued", "manual"] = "manual"
