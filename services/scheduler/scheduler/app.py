"""The composition root."""

import asyncio
import logging

from common import service as services
from common.catalog import Catalog, Source
from common.contracts import topology
from common.events import CollectRequested
from common.messaging.undertaker import Undertaker
from common.planning.going_out import GoingOut
from common.service import ServiceSettings, create_service, load_settings
from scheduler.broadcast import BroadcastPublished
from scheduler.consumers import register
from scheduler.illustrate import GoOn
from scheduler.route import RoutePost
from scheduler.settings import SchedulerSettings
from scheduler.settle import CONSUMER, SettleScheduled
from scheduler.store import Store
from scheduler.workers import start_workers

log = logging.getLogger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    own = load_settings(SchedulerSettings)
    async with create_service("scheduler", load_settings(ServiceSettings)) as service:
        catalog = Catalog(service.database)
        store = Store(service.database, catalog)
        settle = SettleScheduled(service.database, service.rails, retry_seconds=own.publish_retry_interval_seconds)
        going_out = GoingOut(service.database)
        register(
            service,
            RoutePost(catalog, store, going_out),
            GoOn(catalog, store, going_out),
            BroadcastPublished(catalog, store),
            settle,
            Undertaker(service.stream, service.rails.ledger, topology()),
        )

        async def request(source: Source, cause: str) -> None:
            await service.emit([CollectRequested(source_id=source.id, reason="schedule")], cause=cause)

        service.sweep_for("postroom")  # an import that was interrupted
        service.sweep_for(CONSUMER)
        if own.disable_workers:
            log.warning("WORKERS DISABLED")
        start_workers(service, own, store, settle, request)
        await service.run(stop)


def main() -> None:
    """Entry point of the service."""
    services.main(
        "scheduler", "Routes posts, lets them wait for their images, and asks for collections and broadcasts.", run
    )
