"""Whether the records balance, whether everything is carried on, and whether the canary comes through."""

from api.alerts.ports import Finding
from common.postgres import Database
from common.reconciliation import reconcile
from common.verification import canary_state, latest_verification

PROBLEMS_SHOWN = 20


class LedgerCheck:
    """Balances the records: every post that came in is somewhere, and only once."""

    kinds = ("ledger_unbalanced",)

    def __init__(self, database: Database, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._database = database

    async def find(self) -> list[Finding]:
        """Return what does not add up, as one finding."""
        report = await reconcile(self._database, idle=False)
        unbalanced = [name for name, balance in report.sources.items() if not balance.balanced]
        if report.total.balanced and not unbalanced:
            return []
        lines = [*report.problems[:PROBLEMS_SHOWN], *(f"source {name} does not balance" for name in unbalanced)]
        return [
            Finding(
                kind="ledger_unbalanced",
                about="posts",
                severity="error",
                title="The records do not balance",
                detail="\n".join([*lines, "postroom verify"]),
                count=max(1, len(report.problems)),
                patience=2,
            )
        ]


class StrayCheck:
    """Tells what the scheduler's latest verification found, or `postroom verify` since."""

    kinds = ("strays",)

    def __init__(self, database: Database, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._database = database

    async def find(self) -> list[Finding]:
        """Return what nobody carries on, as one finding."""
        latest = await latest_verification(self._database)
        if latest is None:
            return []
        strays = [each for each in latest.report["findings"] if not each["mended"] and each["kind"] != "contradiction"]
        if not strays:
            return []
        problems = [each["problem"] for each in strays[:PROBLEMS_SHOWN]]
        return [
            Finding(
                kind="strays",
                about="posts",
                severity="error",
                title="Something is on its way that nobody carries on",
                detail="\n".join([*problems, "postroom verify --fix"]),
                count=len(strays),
                since=latest.at,
            )
        ]


class CanaryCheck:
    """Tells where the canary has been under way for too long."""

    kinds = ("canary_late",)

    def __init__(self, database: Database, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._database = database

    async def find(self) -> list[Finding]:
        """Return the canary that is late."""
        canary = await canary_state(self._database)
        if canary is None or not canary.late:
            return []
        return [
            Finding(
                kind="canary_late",
                about="pipeline",
                severity="error",
                title="The canary is late: posts may not come through",
                detail=f"It has been under way for {canary.waiting_seconds:.0f} s; "
                f"it should take {canary.limit_seconds:.0f} s at most.",
            )
        ]
