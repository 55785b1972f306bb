"""What a channel is: the way by which people are told."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

Severity: TypeAlias = Literal["info", "warning", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warning", "error")  # each more serious than the ones before it


class NotTold(Exception):
    """The channel did not take the message; it is repeated later. The message says why."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification that is to be told now."""

    id: UUID
    kind: str
    severity: Severity
    title: str
    detail: str
    fingerprint: str
    post_id: UUID | None
    count: int
    first_at: datetime
    last_at: datetime
    tellings: int  # messages that told of it before: this one is an update where there were any


class Channel(Protocol):
    """A way to tell people. What it is given may come twice: after a crash, and where an answer got lost."""

    @property
    def name(self) -> str:
        """What its deliveries are called."""

    @property
    def least(self) -> Severity:
        """The least serious severity that it tells of."""

    @property
    def gathers(self) -> bool:
        """Whether one message tells of all that is to be told at that time."""

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Tell of these, in one message where it gathers. Raises NotTold."""


@dataclass(frozen=True, slots=True)
class Audience:
    """Which channels tell of what. A channel that has failed is told of by the others."""

    channels: tuple[tuple[str, Severity], ...] = ()

    @classmethod
    def of(cls, channels: Sequence[Channel]) -> "Audience":
        """Return the audience that these channels reach."""
        return cls(tuple((channel.name, channel.least) for channel in channels))

    def names(self, severity: Severity, fingerprint: str = "") -> list[str]:
        """Return the channels that tell of a notification."""
        return [
            name
            for name, least in self.channels
            if SEVERITIES.index(severity) >= SEVERITIES.index(least) and fingerprint != failed(name)
        ]


def failed(channel: str) -> str:
    """Return the fingerprint of the notification that a channel fails."""
    return f"api.channel_failed/{channel}"
