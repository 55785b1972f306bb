"""A model that anybody may ask at any time, for tests of what asks it."""

from dataclasses import dataclass, field
from uuid import UUID

from common.failures import Retry
from common.spending.calls import Kind, ModelCall, Purpose

PURPOSE = Purpose("rewriter", "an-event", UUID(int=7))


@dataclass
class Unlimited:
    """Admits everyone to the model that they want, or to `instead`, and keeps what it was told."""

    instead: str | None = None
    calls: list[ModelCall] = field(default_factory=list)
    pauses: list[Retry] = field(default_factory=list)

    async def allowed(self, purpose: Purpose, kind: Kind, model: str) -> str:  # noqa: ARG002
        return self.instead or model

    async def admitted(self, purpose: Purpose, kind: Kind, model: str) -> str:  # noqa: ARG002
        return self.instead or model

    async def ended(self, call: ModelCall) -> None:
        self.calls.append(call)

    def broken_off(self, call: ModelCall) -> None:
        self.calls.append(call)

    async def pause(self, failure: Retry) -> None:
        self.pauses.append(failure)
