"""What follows when nothing holds a post any more: it is published at once, or at the next slots of its route."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from common.catalog import Route
from common.events import PublishRequested
from common.planning.slots import NoFreeSlot, Slots, SlotTaker, Taken
from common.postgres import Database


@dataclass(frozen=True, slots=True)
class GoesOut:
    """What was decided for a post on its route, and why; `requests` are to be emitted."""

    decision: Literal["publish", "schedule", "hold"]
    reason: str = ""
    requests: Sequence[PublishRequested] = ()
    taken: Sequence[Taken] = ()


class GoingOut:
    """Lets posts go out."""

    def __init__(self, database: Database, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._slots = SlotTaker(database)
        self._now = now

    async def __call__(
        self, route: Route | None, post_id: UUID, rewrite_id: UUID, targets: Sequence[str], by: str
    ) -> GoesOut:
        """Plan a post for the next free slots of its targets, or return the request to publish it. Safe to repeat.

        Where no slot is free the decision is to hold it. Raises NoTarget for a target that can't be one.
        """
        if route is None or route.slots is None:
            request = PublishRequested(post_id=post_id, rewrite_id=rewrite_id, targets=tuple(targets))
            return GoesOut("publish", requests=(request,))
        slots = Slots.model_validate(route.slots)
        taken = []
        for target in dict.fromkeys(targets):
            try:
                taken.append(
                    await self._slots.take(
                        slots,
                        target,
                        post_id=post_id,
                        rewrite_id=rewrite_id,
                        route_id=route.id,
                        by=by,
                        now=self._now(),
                    )
                )
            except NoFreeSlot as error:
                return GoesOut("hold", str(error), taken=taken)
        at = ", ".join(f"{each.at:%Y-%m-%d %H:%M}" for each in taken)
        return GoesOut("schedule", f"planned for {at} UTC", taken=taken)
