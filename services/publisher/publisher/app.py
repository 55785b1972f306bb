"""Composition root of the publisher."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from itertools import count
from typing import Any
from uuid import uuid4

from common import service as services
from common.bell import Bell
from common.events import NotifyRequested
from common.leases import Leases
from common.limits import Pace
from common.media.download import Downloads
from common.media.links import MediaLinkSettings
from common.media.store import MediaStore
from common.postgres import UNREACHABLE
from common.service import Service, ServiceSettings, create_service, load_settings
from common.telegram.holding import HeldSession
from common.telegram.outgoing import stored_media
from common.telegram.sessions import BotSessions
from common.telegram.settings import TelegramSettings
from publisher import platforms
from publisher.adapters.media import fetched
from publisher.adapters.pictures import Gallery
from publisher.adapters.telegram import Telegram
from publisher.consumers import DEFAULTS, DURABLE, register
from publisher.endings import Ending, Endings
from publisher.lane import Lane
from publisher.lanes import Lanes
from publisher.pace import Account, LanePace
from publisher.platforms import Registered, Registry
from publisher.request import Requests
from publisher.rollback import Rollback
from publisher.sending import LaneMetrics, Sending
from publisher.settings import InstagramSettings, PublisherSettings, TelegramPublisherSettings, XSettings
from publisher.store import Store

log = logging.getLogger(__name__)

GROUPS = (TelegramPublisherSettings, InstagramSettings, XSettings, MediaLinkSettings)


async def run(stop: asyncio.Event) -> None:
    """Publish until `stop` is set."""
    settings = load_settings(PublisherSettings)
    bot = load_settings(TelegramPublisherSettings)
    telegram_settings = load_settings(TelegramSettings)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(create_service("publisher", load_settings(ServiceSettings)))
        queue = service.queue(DURABLE, DEFAULTS)
        downloads = await stack.enter_async_context(Downloads.open(allow_private=settings.publish_allow_private_media))
        images = MediaStore(service.database, service.stream)
        sessions = BotSessions(service.database, telegram_settings)
        name = await free_session(service.leases)

        async def died(why: str) -> None:
            await tell_of_death(service, name, why)

        held = HeldSession(
            name,
            service.leases,
            lambda: sessions.open(name, bot.telegram_bot_token.get_secret_value()),
            died=died,
        )
        telegram = Telegram(
            service.database,
            held,
            open_media=stored_media(images, fetched(downloads)),
            link_preview=settings.publish_link_preview,
            call_seconds=queue.timeout,
        )
        gallery, seconds = Gallery(images, downloads), queue.timeout
        links = load_settings(MediaLinkSettings)
        registry = Registry()
        registry.add(platforms.telegram(telegram, Account("telegram", service.pacing), bot), "telegram")
        registry.add(
            await platforms.instagram(load_settings(InstagramSettings), links, service, gallery, stack, seconds),
            "instagram",
        )
        registry.add(await platforms.x(load_settings(XSettings), service, gallery, stack, seconds), "x")
        store = Store(service.database)
        stack.callback(store.close)
        rolled_back = Bell()
        endings = Endings(service.database, service.rails, rolled_back.ring)
        stack.callback(endings.close)
        metrics = LaneMetrics(service.registry)

        def make_lane(destination: str) -> Lane | None:
            registered = registry.found.get(destination.partition(":")[0])
            if registered is None:
                return None
            account = registered.account or Account(destination, service.pacing)

            async def paces() -> dict[str, Pace]:
                return await paces_of(destination, registered, store, settings)

            pace = LanePace(destination, account, service.pacing, paces, metrics.waited)

            def sending(ended: Callable[[Ending], None]) -> Sending:
                return Sending(
                    destination,
                    registered.platform,
                    store,
                    pace,
                    queue,
                    unknown_after=settings.unknown_after_seconds,
                    tracer=service.tracer,
                    metrics=metrics,
                    ended=ended,
                )

            return Lane(destination, store, endings, pace, sending, queue, batch=settings.batch)

        lanes = Lanes(store, service.leases, queue, make_lane)
        rollback = Rollback(service.database, endings, registry.platforms, queue, rolled_back)

        async def telegram_problem() -> str | None:
            return telegram.problem

        service.health.add("telegram", telegram_problem)
        registry.tell(service.health)
        register(service, Requests(store, registry.platforms, registry.missing), store, lanes)
        # Stopped in this order: a send that is under way still needs the session.
        service.background(lambda: one_after_the_other([lanes.keep(), rollback.keep(), held.run()]))
        await service.run(stop)


def main() -> None:
    """Entry point of the service."""
    services.main("publisher", "Publishes posts, each exactly once and in order.", run, *GROUPS)


async def free_session(leases: Leases) -> str:
    """Return the first session name that no other replica holds: several sessions of one bot may run side by side."""
    for number in count(1):
        name = f"publisher-{number}"
        if await leases.take(f"telegram-session:{name}"):
            return name
    raise AssertionError("unreachable")


async def paces_of(
    destination: str, registered: Registered, store: Store, settings: PublisherSettings
) -> dict[str, Pace]:
    """Return the paces of a destination, the longest first, so that no shorter one has passed by when it is over."""
    if settings.publish_pacing == "off":
        return {}
    per_hour = await store.posts_per_hour(destination) or registered.posts_per_hour
    return {destination: Pace.per_hour(per_hour)} | await registered.more_paces(destination)


async def one_after_the_other(loops: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Run loops side by side; when one ends or all are cancelled, stop them one after the other."""
    tasks = [asyncio.create_task(loop) for loop in loops]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)


async def tell_of_death(service: Service, name: str, why: str) -> None:
    """Notify that a session died; it is signed in anew with the token, where Telegram still takes it."""
    notice = NotifyRequested(
        kind="publisher.session_dead",
        severity="error",
        title=f"The publisher's Telegram session has ended: {why}"[:200],
        detail=f"Session {name}. It signs in again with TELEGRAM_BOT_TOKEN.",
        fingerprint="publisher.session_dead",
    )
    try:
        await service.emit([notice], cause=f"session/{name}/{uuid4()}")
    except UNREACHABLE as error:  # the session's loop goes on, and health says what is wrong with it
        log.warning("the end of session %s could not be told: %r", name, error)
