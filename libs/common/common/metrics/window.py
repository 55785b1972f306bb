"""Between which times numbers are asked for."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

WINDOWS = {"5m": timedelta(minutes=5), "1h": timedelta(hours=1), "24h": timedelta(hours=24)}
LONGEST = timedelta(days=31)


class NoWindow(ValueError):
    """It is no window; the message says why."""


@dataclass(frozen=True, slots=True)
class Window:
    """From a time until just before another one."""

    start: datetime
    end: datetime

    @property
    def bounds(self) -> tuple[datetime, datetime]:
        """The times themselves."""
        return self.start, self.end

    @property
    def seconds(self) -> float:
        """How long it is."""
        return (self.end - self.start).total_seconds()

    @classmethod
    def last(cls, name: str) -> "Window":
        """Return the last 5m, 1h or 24h. Raises NoWindow."""
        if name not in WINDOWS:
            raise NoWindow(f"a window is one of {', '.join(WINDOWS)}, not {name!r}")
        now = datetime.now(UTC)
        return cls(now - WINDOWS[name], now)

    @classmethod
    def between(cls, start: datetime, end: datetime | None = None) -> "Window":
        """Return the time from `start` to `end`, or to now. Raises NoWindow where it is empty or over 31 days."""
        end = end or datetime.now(UTC)
        if start >= end:
            raise NoWindow("a window must end after it begins")
        if end - start > LONGEST:
            raise NoWindow(f"a window may have {LONGEST.days} days")
        return cls(start, end)
