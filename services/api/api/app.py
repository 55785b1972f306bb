"""The composition root."""

import asyncio
import logging
from functools import partial

from api.alerts.checks import checks
from api.alerts.records import AlertRecords
from api.alerts.settings import AlertSettings
from api.alerts.watching import Watcher
from api.consumers import register
from api.gauges.history import keep_history
from api.gauges.reading import Reading
from api.gauges.sampling import SystemGauges, parts_of
from api.http.application import make_application
from api.http.calls import System
from api.http.media_links import PATH, media_links
from api.http.rate import Rate
from api.http.server import ApiServer
from api.live.hub import Hub
from api.live.source import Source
from api.live.watching import Watching
from api.logs.keeping import LogKeeper, LogSettings
from api.notifying.channels import channels
from api.notifying.keeping import Notifications
from api.notifying.ports import Audience
from api.notifying.settings import EmailSettings
from api.notifying.telling import Teller
from api.panel.application import Front
from api.panel.composing import compose
from api.panel.sessions.first_start import tell_of_set_up
from api.pruning import keep_agreeing, prune
from api.resources import routers
from api.resources.health import answer_pipeline, answer_workers
from api.settings import ApiSettings, LiveSettings, NotificationSettings, PanelSettings, WebhookSettings
from api.webhooks.sending import WebhookSender
from common import service as services
from common.jobs import Jobs
from common.live import Live
from common.media.links import MediaLinkSettings
from common.media.store import MediaStore
from common.messaging.replay import DeadLetters
from common.operations import OperationRunner
from common.operations.kinds import operation_kinds
from common.planning.images import PlatformImages
from common.retention import Retention, RetentionSettings
from common.service import Service, ServiceSettings, create_service, load_settings
from common.tokens import Tokens
from common.users import Sessions, SignInSettings

log = logging.getLogger(__name__)

GROUPS = (
    ApiSettings, PanelSettings, SignInSettings, LiveSettings, NotificationSettings, EmailSettings, WebhookSettings,
    AlertSettings, LogSettings, RetentionSettings, MediaLinkSettings,
)  # fmt: skip
OPERATIONS_AT_ONCE = 2  # so that a long one does not hold up a short one


async def run(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    settings, webhooks = load_settings(ApiSettings), load_settings(WebhookSettings)
    notifying, email = load_settings(NotificationSettings), load_settings(EmailSettings)
    watching = load_settings(AlertSettings)
    async with create_service("api", load_settings(ServiceSettings)) as service:
        told_by = channels(service.database, email)
        hub = Hub(Source(service.nats), load_settings(LiveSettings))
        system = _system(service, settings, webhooks, hub)
        application = make_application(routers(), system)
        application.add_route("/health/workers", answer_workers, include_in_schema=False)
        application.add_route("/health/pipeline", answer_pipeline, include_in_schema=False)
        links = load_settings(MediaLinkSettings)
        application.add_route(PATH, media_links(system.media, links), methods=["GET"], include_in_schema=False)
        panel = compose(system, system.sessions, routers(), load_settings(PanelSettings))
        server = ApiServer(Front(application, panel), settings.api_host, settings.api_port)
        log.info("the panel is at %s, the API at %s/api/v1", server.url, server.url)
        await tell_of_set_up(service.database, server.url)
        sender = WebhookSender(service, webhooks.webhook_retry_seconds, allow_private=webhooks.webhook_allow_private)
        register(service, Notifications(notifying, Audience.of(told_by)))
        for channel in told_by:
            service.background(Teller(service, channel, notifying).run)
        alerts = AlertRecords(service.database, Audience.of(told_by), notifying.notify_gather_seconds)
        watcher = Watcher(service.leases, alerts, checks(service, watching), Live(service.nats))
        service.background(watcher.run)
        service.health.add("live events", hub.check)
        service.background(hub.run)
        service.background(panel.state.panel.live.run)
        service.background(Watching(hub, service.database).run)
        logs = LogKeeper(service.database, service.stream, load_settings(LogSettings).logs_keep_days)
        service.background(logs.run)
        service.background(logs.prune)
        gauges = SystemGauges(parts_of(Reading(service.database, service.stream)), service.registry)
        service.sampled(gauges.sample)
        service.background(gauges.run)
        service.background(lambda: keep_history(service.database, service.stream))
        service.background(server.serve)
        service.background(sender.run)
        retention = Retention(service.database, load_settings(RetentionSettings))
        service.background(lambda: prune(service.database, retention, system.sessions))
        service.background(lambda: keep_agreeing(system.dead_letters))
        dsn = service.settings.database_url.get_secret_value()
        for _ in range(OPERATIONS_AT_ONCE):
            runner = OperationRunner(service.database, system.kinds)
            service.background(partial(runner.run, dsn))
        await service.run(stop)


def _system(service: Service, settings: ApiSettings, webhooks: WebhookSettings, hub: Hub) -> System:
    return System(
        database=service.database,
        nats=service.nats,
        rails=service.rails,
        tracer=service.tracer,
        tokens=Tokens(service.database),
        sessions=Sessions(service.database, load_settings(SignInSettings)),
        rate=Rate(settings.api_requests_per_minute),
        media=MediaStore(service.database, service.stream),
        dead_letters=DeadLetters(service.stream, service.database, service.rails),
        jobs=Jobs(service.nats, service.database, service.rails),
        kinds=operation_kinds(service.nats, service.database, service.rails),
        live=Live(service.nats),
        hub=hub,
        allow_private_webhooks=webhooks.webhook_allow_private,
        images_made_for=load_settings(PlatformImages).made_for,
        settings=(service.settings, *(load_settings(group) for group in GROUPS)),
    )


def main() -> None:
    """Entry point of the service."""
    services.main("api", "The REST API; keeps what people are told.", run, MediaLinkSettings, EmailSettings)
