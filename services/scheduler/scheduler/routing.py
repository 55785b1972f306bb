"""A routing: what was decided for a post on its route, and what follows from it."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal
from uuid import UUID

from common.events import Event, PublishRequested

Decision = Literal["publish", "hold", "illustrate"]


@dataclass(frozen=True, slots=True)
class Routing:
    """The decision for one rewrite of a post. `reason` tells people why it waits."""

    post_id: UUID
    route_id: UUID
    rewrite_id: UUID
    targets: tuple[str, ...]
    decision: Decision = "publish"
    reason: str = ""

    def decided(self, decision: Decision, reason: str = "") -> "Routing":
        """Return the routing with another decision."""
        return replace(self, decision=decision, reason=reason)

    def events(self) -> Sequence[Event]:
        """Return the publish request, where it is to be published now."""
        if self.decision != "publish":
            return []
        return [PublishRequested(post_id=self.post_id, rewrite_id=self.rewrite_id, targets=self.targets)]
