"""What a check is, and what it finds."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

Severity: TypeAlias = Literal["warning", "error"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong now. `about` is what of: a queue, a service, a stream.

    It fires once it was found `patience` times in a row; `since` is when it began, where that is known.
    """

    kind: str
    about: str
    severity: Severity
    title: str
    detail: str = ""
    count: int = 1
    since: datetime | None = None
    patience: int = 1

    @property
    def fingerprint(self) -> str:
        """What makes two findings the same."""
        return f"{self.kind}/{self.about}"


class Check(Protocol):
    """Looks for what is wrong."""

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds of its findings. What it does not find any more of these is over."""

    @property
    def every_seconds(self) -> float:
        """How often to look."""

    async def find(self) -> list[Finding]:
        """Return all that is wrong. Raises what asyncpg and nats raise: where a server is away nothing is known."""
