"""Verification: whether everything adds up, and the canary."""

from typing import Literal
from uuid import UUID

from api.http.calls import Calling, found
from api.http.routes import resource
from api.http.values import Answer, Utc
from common.verification import canary_state, latest_verification

router = resource("verification")

Kind = Literal["contradiction", "unpublished_event", "unheld_job", "stopped_post"]


class Finding(Answer):
    """Something that did not add up. `mendable`: `postroom verify --fix` mends it."""

    kind: Kind
    problem: str
    advice: str
    post_id: UUID | None
    mendable: bool
    mended: bool


class VerificationAnswer(Answer):
    """The latest verification; the scheduler verifies every few minutes."""

    at: Utc
    balanced: bool
    total: dict[str, int | bool]
    dead_letters: int
    findings: list[Finding]


class CanaryAnswer(Answer):
    """How the canary is, in seconds. `well`: the whole way is open, as far as it tells."""

    well: bool
    outcome: Literal["published", "late", "failed"] | None
    detail: str
    seconds: float | None
    waiting_seconds: float | None
    limit_seconds: float


@router.get("")
async def get_verification(call: Calling) -> VerificationAnswer:
    """Read what the latest verification found."""
    latest = await latest_verification(call.database)
    answer = VerificationAnswer.model_validate({**latest.report, "at": latest.at}) if latest else None
    return found(answer, "verification")


@router.get("/canary")
async def get_canary(call: Calling) -> CanaryAnswer:
    """Read how the canary is."""
    state = await canary_state(call.database)
    return found(CanaryAnswer.model_validate(state, from_attributes=True) if state else None, "canary")
