"""The composition root."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import AsyncExitStack

from collector.adapters.feed_check import FeedChecks
from collector.adapters.feed_source import FeedSource
from collector.adapters.feeds import FeedReader
from collector.adapters.telegram import ChannelReader
from collector.adapters.telegram_check import NoTelegramChecks, TelegramChecks
from collector.adapters.telegram_files import NoTelegramFiles, TelegramFiles
from collector.adapters.telegram_live import LiveMessages
from collector.adapters.url_files import UrlFiles
from collector.check import Checker, CheckSource
from collector.collect import CollectSource
from collector.consumers import register
from collector.fetch_media import FetchMedia
from collector.metering import CollectorMetrics
from collector.nudges import Nudges
from collector.ports import MediaPlace, SourceReader
from collector.settings import CollectorSettings
from collector.store import MediaFetches, SourceStates
from collector.telegram_session import NoTelegram, hold_session
from common import service as services
from common.catalog import Catalog
from common.events import Event
from common.media.download import Downloads
from common.media.store import MediaStore
from common.posts import Posts
from common.service import Service, ServiceSettings, create_service, load_settings
from common.service.health import NotSetUp
from common.telegram.settings import SessionSettings, TelegramSettings

log = logging.getLogger(__name__)


async def run(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    own, session = load_settings(CollectorSettings), load_settings(SessionSettings)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(create_service("collector", load_settings(ServiceSettings)))
        public = await stack.enter_async_context(FeedReader())
        private = await stack.enter_async_context(FeedReader(allow_private=True))
        urls = UrlFiles(
            await stack.enter_async_context(Downloads.open()),
            await stack.enter_async_context(Downloads.open(allow_private=True)),
            most_bytes=own.media_max_bytes,
        )
        channels, files, telegram_checks = _telegram(service, own, session)
        states = SourceStates(service.database)
        readers = {"feed": FeedSource(public, private), "telegram": channels}
        collect = CollectSource(Catalog(service.database), states, Posts(service.database), readers)
        store = MediaStore(service.database, service.stream)
        places = {"url": urls, "chat": files}
        fetch = FetchMedia(MediaFetches(service.database), store, places, most_bytes=own.media_max_bytes)
        check = CheckSource({"feed": FeedChecks(public, private), "telegram": telegram_checks})
        register(service, collect, fetch, check, states, CollectorMetrics(service.registry))
        await service.run(stop)


async def _no_telegram() -> str | None:
    return NotSetUp("TELETHON_SESSION is not set: only feeds are read")


def _telegram(
    service: Service, own: CollectorSettings, session: SessionSettings
) -> tuple[SourceReader, MediaPlace, Checker]:
    """Telegram is optional: a collector without a session reads feeds."""
    if not session.telethon_session.get_secret_value():
        log.warning("TELETHON_SESSION is not set: Telegram sources can't be read")
        service.health.tell("telegram", _no_telegram)
        return NoTelegram(), NoTelegramFiles(), NoTelegramChecks()

    async def emit(events: Sequence[Event], cause: str) -> None:
        await service.emit(events, cause=cause)

    nudges = Nudges(
        Catalog(service.database), emit, debounce=own.collect_debounce_seconds, poll=own.catalog_poll_seconds
    )
    live = LiveMessages(nudges)
    settings = load_settings(TelegramSettings)
    if settings.sandboxed:
        log.warning("SANDBOX: Telegram is %s", settings.telegram_server)
    held = hold_session(service, session, settings, nudges, live)
    service.background(held.run)
    service.background(nudges.run)
    return (
        ChannelReader(held, service.database, live, batch=own.collect_batch, backfill=own.collect_backfill),
        TelegramFiles(held, service.database, most_bytes=own.media_max_bytes),
        TelegramChecks(held, service.database),
    )


def main() -> None:
    """Entry point of the service."""
    services.main("collector", "Collects posts from Telegram channels and feeds.", run, SessionSettings)
