"""Whether the records balance."""

from api.alerts.ports import Finding
from common.postgres import Database
from common.reconciliation import reconcile

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
