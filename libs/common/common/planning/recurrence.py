"""The times of a schedule, computed on the wall clock and then turned into instants.

A time that does not exist, because clocks are put forward over it, moves forward by as much; one that occurs twice,
because they are put back, runs once, the first time. https://peps.python.org/pep-0495/
"""

import hashlib
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import islice

from common.planning.schedules import LATEST, CronLine, Daily, Interval, Once, Schedule, Weekly

Wall = Callable[[datetime], datetime | None]

AROUND = timedelta(hours=26)  # offsets are between -12 and +14 hours: https://www.iana.org/time-zones
FIRST_LOOK_BACK = timedelta(hours=1)


def following(schedule: Schedule, after: datetime, seed: str) -> datetime | None:
    """Return the first time of a schedule that is later than `after`, in UTC; None where none comes any more.

    `seed` (the rule's id) decides with the time how much later a run with jitter is: always the same.
    """
    return next(occurrences(schedule, after, seed), None)


def preview(schedule: Schedule, after: datetime, seed: str, number: int = 10) -> list[datetime]:
    """Return the next times."""
    return list(islice(occurrences(schedule, after, seed), number))


def occurrences(schedule: Schedule, after: datetime, seed: str) -> Iterator[datetime]:
    """Yield the times that are later than `after`, in order and each once."""
    jitter = 0 if isinstance(schedule, Once) else schedule.jitter_seconds
    base = _from(schedule, after.astimezone(UTC), jitter)
    while base is not None and base < LATEST:
        then = _first(schedule, base)
        moment = base + timedelta(seconds=_delay(base, then, jitter, seed))
        if moment > after:
            yield moment
        base = then


def latest(schedule: Schedule, earliest: datetime, now: datetime, seed: str) -> datetime:
    """Return the last time from `earliest`, which is one itself, until `now`: the missed run that is made up."""
    back = FIRST_LOOK_BACK
    while now - back > earliest:
        found = None
        for moment in occurrences(schedule, now - back, seed):
            if moment > now:
                break
            found = moment
        if found is not None:
            return found
        back *= 2
    found = earliest
    for moment in occurrences(schedule, earliest, seed):
        if moment > now:
            break
        found = moment
    return found


def _from(schedule: Schedule, after: datetime, jitter: int) -> datetime | None:
    """Return the first time without jitter that may be later than `after` with it.

    As a delay never reaches the next time, that is the last one until `after`, or one not long before it.
    """
    back = min(jitter, 60)
    while True:
        base = _first(schedule, after - timedelta(seconds=back))
        if back == jitter or (base is not None and base <= after):
            return base
        back = min(2 * back, jitter)


def _first(schedule: Schedule, after: datetime) -> datetime | None:
    """Return the first time without jitter."""
    match schedule:
        case Once():
            return schedule.at if schedule.at > after else None
        case Interval():
            start, step = schedule.start or datetime(1970, 1, 1, tzinfo=UTC), timedelta(minutes=schedule.every_minutes)
            return start if start > after else start + ((after - start) // step + 1) * step
        case Daily() | Weekly() | CronLine():
            return first_instant(schedule.wall_after, schedule.zone, after)


def first_instant(wall: Wall, zone: tzinfo, after: datetime) -> datetime | None:
    """Return the first instant later than `after` of times on the wall clock of a zone.

    Instants are not in the order of the wall clock where a time is moved over a gap: so all times are looked at that
    could still be before the best one.
    """
    best: datetime | None = None
    moment = wall(_naive(after) + min(_offsets(zone, after)))
    while moment is not None and (best is None or moment - max(_offsets(zone, best)) < _naive(best)):
        instant = moment.replace(tzinfo=zone).astimezone(UTC)  # fold 0 is just what is wanted, in a gap and in a fold
        if instant > after and (best is None or instant < best):
            best = instant
        moment = wall(moment)
    return best


def _offsets(zone: tzinfo, instant: datetime) -> list[timedelta]:
    moments = (instant - AROUND, instant, instant + AROUND)
    return [moment.astimezone(zone).utcoffset() or timedelta(0) for moment in moments]


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _delay(base: datetime, then: datetime | None, jitter: int, seed: str) -> int:
    """Return by how many seconds a run is later: never up to the next one."""
    most = jitter if then is None else min(jitter, int((then - base).total_seconds()) - 1)
    digest = hashlib.sha256(f"{seed}/{base.isoformat()}".encode()).digest()
    return int.from_bytes(digest[:8]) % (most + 1)
