"""Verification: does everything that came in have its place, and is everything on its way still carried by somebody?"""

from common.verification.finding import Finding, Verified
from common.verification.latest import CanaryState, Latest, canary_state, latest_verification
from common.verification.looking import Verification
from common.verification.mending import Mending

__all__ = [
    "CanaryState",
    "Finding",
    "Latest",
    "Mending",
    "Verification",
    "Verified",
    "canary_state",
    "latest_verification",
]
