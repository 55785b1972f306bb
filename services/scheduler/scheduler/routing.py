"""A routing: what was decided for a post on its route."""

from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

Decision = Literal["publish", "schedule", "hold", "illustrate"]


@dataclass(frozen=True, slots=True)
class Routing:
    """The decision for one rewrite of a post. `reason` tells people why it waits, `traceparent` is where that began."""

    post_id: UUID
    route_id: UUID
    rewrite_id: UUID
    targets: tuple[str, ...]
    decision: Decision = "publish"
    reason: str = ""
    traceparent: str | None = None

    def decided(self, decision: Decision, reason: str = "") -> "Routing":
        """Return the routing with another decision."""
        return replace(self, decision=decision, reason=reason)
