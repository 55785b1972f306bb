"""The workers that go by the clock. DISABLE_WORKERS keeps all of them off, and says so in their beats."""

from common.service import Service
from common.verification import Mending, Verification
from scheduler.auto_posting import AutoPostingWorker
from scheduler.beats import WorkerBeats
from scheduler.canary import CanaryWorker
from scheduler.clock import CollectionClock
from scheduler.expiry import ApprovalExpiryWorker
from scheduler.leading import Leading
from scheduler.ports import RequestCollection
from scheduler.scheduled import ScheduledPostsWorker
from scheduler.settings import SchedulerSettings
from scheduler.settle import SettleScheduled
from scheduler.store import Store
from scheduler.verify import VerificationWorker
from scheduler.waking import Look, Waking


def start_workers(
    service: Service, settings: SchedulerSettings, store: Store, settle: SettleScheduled, request: RequestCollection
) -> None:
    """Let the service run the workers, or only their beats."""
    dsn = service.settings.database_url.get_secret_value()
    running = not settings.disable_workers

    def beats(worker: str) -> WorkerBeats:
        return WorkerBeats(service.database, worker, service.rails.ledger.holder, running=running)

    def wake(worker: str, channel: str, look: Look, check_seconds: float) -> None:
        """Run a worker that is woken by the notices of a channel."""
        signs = beats(worker)
        service.background(
            Waking(dsn, channel, look, signs, check_seconds=check_seconds).run if running else signs.keep
        )

    clock_beats = beats("CollectionClock")
    service.background(clock_beats.keep)
    if running:
        clock = CollectionClock(store, request, poll=settings.catalog_poll_seconds, beats=clock_beats)
        service.background(clock.run)
    check_seconds = settings.scheduled_check_seconds
    scheduled = ScheduledPostsWorker(service.database, service.rails, settle, check_seconds=check_seconds)
    wake("ScheduledPostsWorker", "scheduled_posts", scheduled.look, check_seconds)
    rules = AutoPostingWorker(service.database, service.rails)
    wake("AutoPostingWorker", "auto_posting_rules", rules.look, settings.rules_check_seconds)
    # Nothing tells of approvals: one that expires is found at the next check.
    expiry = ApprovalExpiryWorker(service.database, service.rails)
    wake("ApprovalExpiryWorker", "approvals", expiry.look, check_seconds)

    def lead(worker: str, look: Look, check_seconds: float) -> None:
        """Run a worker in one replica at a time."""
        signs = beats(worker)
        leading = Leading(service.leases, f"scheduler/{worker}", look, signs, check_seconds=check_seconds)
        service.background(leading.run if running else signs.keep)

    mending = Mending(service.nats, service.database, service.rails)
    verification = VerificationWorker(Verification(service.database, service.stream), mending, service.registry)
    lead("VerificationWorker", verification.look, settings.verify_seconds)
    if canary := settings.canary:
        lead("CanaryWorker", CanaryWorker(service.database, service.rails, canary).look, canary.pause)
