"""A call to a model, as the books have it."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

Kind = Literal["chat", "image"]


@dataclass(frozen=True, slots=True)
class Purpose:
    """What a call is made for: a job, its post, and the route and profile, where it has these."""

    consumer: str
    event_id: str
    post_id: UUID | None = None
    route_id: UUID | None = None
    route: str = ""  # its name, for metrics
    profile_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ModelCall:
    """A call that has ended. `outcome` is answered, refused, or the kind of error."""

    purpose: Purpose
    kind: Kind
    model: str
    outcome: str
    seconds: float
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
