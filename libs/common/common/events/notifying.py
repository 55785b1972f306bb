"""Notifying: something that a person should know."""

from typing import ClassVar, Literal
from uuid import UUID

from pydantic import Field

from common.events.envelope import Event


class NotifyRequested(Event):
    """Tell those responsible. Equal fingerprints within a while are folded into one message with a count."""

    subject: ClassVar[str] = "notify.requested"

    kind: str = Field(description="a stable name, such as collector.rate_limited", pattern=r"^[a-z_]+\.[a-z_]+$")
    severity: Literal["info", "warning", "error"] = "warning"
    title: str = Field(max_length=200)
    detail: str = ""
    fingerprint: str = Field(description="what makes two of them the same: usually kind and source")
    post_id: UUID | None = None
