"""What holds for a queue now, setting by setting, where it is from, and who changed it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from common.queues.records import Replica
from common.queues.settings import FIELDS, Change, Origin


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a queue."""

    name: str
    value: Any
    origin: Origin
    changed_by: str | None = None
    changed_at: datetime | None = None
    reason: str | None = None


def effective(queue: str, replicas: Sequence[Replica], changes: Sequence[Change]) -> list[Setting]:
    """Return the settings of a queue, as the replica tells them that was heard last.

    What the environment and the defaults of a service are only its replicas know: where none lives, what was changed
    is all there is.
    """
    changed = {change.field: change for change in changes if change.queue == queue}
    last = max((each for each in replicas if each.queue == queue), key=lambda each: each.seen_at, default=None)
    told = last.settings if last else {}
    found = []
    for name in FIELDS:
        if change := changed.get(name):
            found.append(Setting(name, change.value, "changed", change.changed_by, change.changed_at, change.reason))
        elif name in told:  # one that was changed until a moment ago is told anew in the next
            found.append(Setting(name, told[name]["value"], told[name]["origin"]))
    return found
