"""What a verification finds."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal
from uuid import UUID

from common.events import Emitted
from common.reconciliation import Reconciliation

Kind = Literal["contradiction", "unpublished_event", "unheld_job", "stopped_post"]


@dataclass(frozen=True, slots=True)
class Republish:
    """Mends an event that no stream has taken: it is published again, under its id."""

    event: Emitted


@dataclass(frozen=True, slots=True)
class SendAgain:
    """Mends a job whose message is gone: its message is sent again, under its id."""

    consumer: str
    event_id: str


@dataclass(frozen=True, slots=True)
class Collected:
    """Mends a post that no job ever saw: it is told again that it was collected."""

    post_id: UUID
    source_id: UUID


@dataclass(frozen=True, slots=True)
class Rewritten:
    """Mends a rewrite without a routing: it is told again that the post was rewritten."""

    post_id: UUID
    route_id: UUID
    rewrite_id: UUID


Remedy = Republish | SendAgain | Collected | Rewritten


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that does not add up, in words; `advice` says what helps. With a `remedy` it can be mended safely."""

    kind: Kind
    problem: str
    advice: str
    post_id: UUID | None = None
    remedy: Remedy | None = field(default=None, repr=False)
    mended: bool = False

    def after(self, *, mended: bool) -> "Finding":
        """Return the finding after its mending was tried."""
        return replace(self, mended=mended)

    def to_json(self) -> dict[str, Any]:
        """Return what people see of it."""
        return {
            "kind": self.kind,
            "problem": self.problem,
            "advice": self.advice,
            "post_id": str(self.post_id) if self.post_id else None,
            "mendable": self.remedy is not None,
            "mended": self.mended,
        }


@dataclass(frozen=True, slots=True)
class Verified:
    """The balance of all posts, and what does not add up."""

    report: Reconciliation
    findings: tuple[Finding, ...]

    @property
    def open(self) -> list[Finding]:
        """What was found and is not mended."""
        return [finding for finding in self.findings if not finding.mended]

    @property
    def balanced(self) -> bool:
        """Whether everything adds up, be it after mending."""
        return self.report.total.balanced and not self.open

    def to_json(self) -> dict[str, Any]:
        """Return the balance and the findings."""
        return {
            "balanced": self.balanced,
            "total": self.report.total.to_json(),
            "dead_letters": self.report.dead_letters,
            "findings": [finding.to_json() for finding in self.findings],
        }
