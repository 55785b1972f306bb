"""Message boxes: where ids and pts are counted, and the record of what happened.

A channel has a box of its own; a user has one for private chats and basic groups
(https://core.telegram.org/api/updates#message-related-event-sequences).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from sandbox.telegram.store import Store

EventKind = Literal["new", "edit", "delete"]


@dataclass(slots=True)
class Box:
    """The counters of one box. Events up to `from_pts` are not on record (a seeded history has none)."""

    id: int
    last_id: int = 0
    pts: int = 1
    from_pts: int = 1
    messages: int = 0


class Boxes:
    """All message boxes."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_id = {row[0]: Box(*row) for row in store.rows("boxes_all")}

    def get(self, box_id: int) -> Box:
        """The box of this user or channel; empty if nothing ever happened in it."""
        box = self._by_id.get(box_id)
        if box is None:
            box = self._by_id[box_id] = Box(box_id)
        return box

    def next_id(self, box: Box) -> int:
        """Give a new message its id."""
        box.last_id += 1
        return box.last_id

    def record(self, box: Box, kind: EventKind, message_ids: tuple[int, ...], now: float) -> int:
        """Record that messages came, changed or went, and return the new pts."""
        for message_id in message_ids:
            box.pts += 1
            self._store.write("event_add", box.id, box.pts, kind, message_id, now)
        if kind != "edit":
            box.messages += len(message_ids) if kind == "new" else -len(message_ids)
        self._keep(box)
        return box.pts

    def skip(self, box: Box, messages: int, last_id: int) -> None:
        """Count a history that was loaded, without a record of each message's coming."""
        box.last_id = max(box.last_id, last_id)
        box.messages += messages
        box.pts += messages
        box.from_pts = box.pts
        self._keep(box)

    def events(self, box: Box, after_pts: int, limit: int) -> Iterator[tuple[int, EventKind, int]]:
        """What happened after a pts: (pts, kind, message id), oldest first."""
        return self._store.rows("events_after", box.id, after_pts, limit)

    def last_event_at(self, box: Box) -> float:
        """When something last happened in the box, in seconds of the epoch; 0 if nothing did."""
        row = self._store.row("last_event", box.id)
        return float(row[0]) if row else 0.0

    def _keep(self, box: Box) -> None:
        self._store.write("box_put", box.id, box.last_id, box.pts, box.from_pts, box.messages)
