"""Verifying the ledger now and then: what is found is kept, and the alert follows from that."""

import logging

from prometheus_client import CollectorRegistry

from common.telemetry import names
from common.verification import Mending, Verification

log = logging.getLogger(__name__)


class VerificationWorker:
    """Verifies at each look. It mends nothing: `postroom verify --fix` does."""

    def __init__(self, verify: Verification, mending: Mending, registry: CollectorRegistry) -> None:
        self._verify = verify
        self._mending = mending
        self._findings = names.VERIFICATION_FINDINGS.on(registry)

    async def look(self) -> None:
        """Verify once, and keep what was found."""
        verified = await self._verify()
        await self._mending.keep(verified)
        self._findings.set(len(verified.findings))
        for finding in verified.findings:
            log.warning("%s: %s", finding.problem, finding.advice)
