"""What the records and the servers say of the whole system."""

from collections.abc import Iterable, Mapping

from nats.js import JetStreamContext

from api.statements import statement
from common.planning.workers import workers
from common.postgres import Database
from common.queues.standing import QueueStanding, standing
from common.reconciliation import STATES, reconcile
from common.spending.budgets import Budgets
from common.telemetry import names
from common.telemetry.register import GaugeMetric, Values
from common.verification import canary_state

REPLICA_STATES = ("ready", "not_ready", "silent")


class Reading:
    """Reads figures. Everything raises where a server is away."""

    def __init__(self, database: Database, stream: JetStreamContext) -> None:
        self._database = database
        self._stream = stream

    async def queues(self) -> Mapping[GaugeMetric, Values]:
        """How the queues stand."""
        queues = await standing(self._database, self._stream)
        return {
            names.QUEUE_WAITING: {(each.queue,): each.waiting for each in queues},
            names.QUEUE_IN_FLIGHT: {(each.queue,): each.in_flight for each in queues},
            names.QUEUE_REDELIVERED: {(each.queue,): each.redelivered for each in queues},
            names.QUEUE_OLDEST_SECONDS: {(each.queue,): each.oldest_seconds or 0.0 for each in queues},
            names.QUEUE_BEHIND: {(each.queue,): each.behind.behind for each in queues if each.behind},
            names.QUEUE_ETA_SECONDS: {
                (each.queue,): each.eta_seconds for each in queues if each.eta_seconds is not None
            },
            names.QUEUE_PAUSED: {(each.queue,): float(each.pause is not None) for each in queues},
            names.QUEUE_ALERT_FAILURES: _settings(queues, "alert_failures"),
            names.QUEUE_ALERT_OLDEST_SECONDS: _settings(queues, "alert_oldest_seconds"),
        }

    async def records(self) -> Mapping[GaugeMetric, Values]:
        """The outbox, the replicas, the workers, and scheduled posts."""
        outbox = await self._database.lax.fetchrow(statement("gauges", "outbox"))
        overdue = await self._database.lax.fetchrow(statement("gauges", "overdue"))
        beats = await self._database.lax.fetch(statement("gauges", "replicas"))
        assert outbox
        assert overdue
        return {
            names.OUTBOX_EVENTS: {(): outbox["events"]},
            names.OUTBOX_OLDEST_SECONDS: {(): outbox["oldest_seconds"]},
            names.REPLICAS: {(row["service"], state): row[state] for row in beats for state in REPLICA_STATES},
            names.WORKER_RUNNING: {
                (each.worker,): float(each.running) for each in await workers(self._database) if each.last_beat
            },
            names.SCHEDULED_OVERDUE: {(): overdue["posts"]},
            names.SCHEDULED_OVERDUE_SECONDS: {(): overdue["seconds"]},
        }

    async def canary(self) -> Mapping[GaugeMetric, Values]:
        """How the canary is."""
        canary = await canary_state(self._database)
        if canary is None:
            return {}
        return {
            names.CANARY_SECONDS: {} if canary.seconds is None else {(): canary.seconds},
            names.CANARY_WAITING_SECONDS: {(): canary.waiting_seconds or 0.0},
            names.CANARY_LIMIT_SECONDS: {(): canary.limit_seconds},
        }

    async def alerts(self) -> Mapping[GaugeMetric, Values]:
        """The alerts that fire."""
        rows = await self._database.lax.fetch(statement("gauges", "alerts"))
        return {names.ALERTS_FIRING: {(row["kind"], row["severity"]): row["alerts"] for row in rows}}

    async def spending(self) -> Mapping[GaugeMetric, Values]:
        """How much of each budget is used."""
        budgets = await Budgets(self._database).all()
        return {
            names.BUDGET_USED_RATIO: {(each.name,): each.share for each in budgets},
            names.BUDGET_WARN_RATIO: {(each.name,): each.warn_share for each in budgets},
        }

    async def ledger(self) -> Mapping[GaugeMetric, Values]:
        """Where the posts stand, and whether that adds up; the jobs that are not done; the dead letters."""
        report = await reconcile(self._database, idle=False)
        jobs = await self._database.lax.fetch(statement("gauges", "jobs"))
        letters = await self._database.lax.fetch(statement("gauges", "dead_letters"))
        return {
            names.POSTS: {(state,): report.total.states.get(state, 0) for state in STATES},
            names.LEDGER_BALANCED: {(): float(report.total.balanced)},
            names.LEDGER_JOBS: {(row["queue"], row["status"]): row["jobs"] for row in jobs},
            names.DEAD_LETTERS: {(row["consumer"],): row["letters"] for row in letters},
        }


def _settings(queues: Iterable[QueueStanding], name: str) -> Values:
    """Return a setting of each queue that a replica works on."""
    return {
        (each.queue,): float(each.replicas[0].settings[name]["value"])
        for each in queues
        if each.replicas and name in each.replicas[0].settings
    }
