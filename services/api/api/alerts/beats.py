"""Whether a service, or a worker of the scheduler, has gone without a word."""

from api.alerts.ports import Finding
from api.statements import statement
from common.postgres import Database

SILENT_SECONDS = 15.0  # five beats
PATIENCE = 3  # after the database was away, or all was killed and starts again, all beats are old for a while


class BeatCheck:
    """Finds services that beat, did not stop in order, and beat no more: of each all replicas."""

    kinds = ("service_gone", "worker_gone", "worker_failing")

    def __init__(self, database: Database, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._database = database

    async def find(self) -> list[Finding]:
        """Return services and workers that have gone, and workers whose looks fail."""
        gone = await self._database.fetch(statement("alerts", "services_gone"), SILENT_SECONDS)
        workers = await self._database.fetch(statement("alerts", "workers_gone"), SILENT_SECONDS)
        findings = [
            Finding(
                kind="service_gone",
                about=row["service"],
                severity="error",
                title=f"{row['service']} gives no sign of life",
                detail=f"It beat last at {row['beat_at']:%Y-%m-%d %H:%M:%S} UTC, at {row['address']}, and did not stop "
                "in order. What it works on waits.",
                since=row["beat_at"],
                patience=PATIENCE,
            )
            for row in gone
        ]
        silent = {row["service"] for row in gone}
        for row in workers:
            if row["failing"]:
                kind, title = "worker_failing", f"{row['worker']} fails whenever it looks"
            elif "scheduler" not in silent:  # else that says it all
                kind, title = "worker_gone", f"{row['worker']} gives no sign of life"
            else:
                continue
            detail = (
                f"Its last beat was at {row['last_beat']:%Y-%m-%d %H:%M:%S} UTC. The logs of the scheduler say more."
            )
            findings.append(Finding(kind, row["worker"], "error", title, detail, patience=PATIENCE))
        return findings
