"""Verification: does everything that came in have its place, and is everything on its way still carried by somebody?"""

from common.verification.finding import Finding, Verified
from common.verification.looking import Verification
from common.verification.mending import Mending

__all__ = ["Finding", "Mending", "Verification", "Verified"]
