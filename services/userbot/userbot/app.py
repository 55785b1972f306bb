"""Composition root of the userbot."""

import asyncio
import logging
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from typing import Any
from uuid import uuid4

from telethon import TelegramClient
from telethon.tl.types import User

from common import service as services
from common.events import NotifyRequested
from common.media.store import MediaStore
from common.postgres import UNREACHABLE
from common.service import Service, ServiceSettings, create_service, load_settings
from common.telegram.account import TelegramAccount
from common.telegram.health import NoSession
from common.telegram.holding import HeldSession
from common.telegram.outgoing import stored_media
from common.telegram.sessions import BotSessions, open_user, session_name
from common.telegram.settings import TelegramSettings
from userbot.adapters.bot import Bot
from userbot.adapters.live import LiveMessages
from userbot.adapters.telegram import Telegram
from userbot.broadcasting import Broadcasting
from userbot.cancelling import Cancellations
from userbot.consumers import DEFAULTS, DURABLE, register
from userbot.counting import MessageCounter
from userbot.endings import Endings
from userbot.metering import BroadcastMetrics
from userbot.ports import Teller
from userbot.prepare import Preparation
from userbot.settings import SummarySettings, UserbotSettings
from userbot.store import Store
from userbot.task import Material, Task
from userbot.trying import Rules, Trying, Waiting
from userbot.worker import Worker

log = logging.getLogger(__name__)

NOT_SET_UP = "there is no account that broadcasts: sign in with `postroom login`, and set USERBOT_TELETHON_SESSION"


async def run(stop: asyncio.Event) -> None:
    """Broadcast until `stop` is set."""
    own, telegram_settings = load_settings(UserbotSettings), load_settings(TelegramSettings)
    summary = load_settings(SummarySettings)
    async with AsyncExitStack() as stack:
        service = await stack.enter_async_context(create_service("userbot", load_settings(ServiceSettings)))
        queue = service.queue(DURABLE, DEFAULTS)
        database, call_seconds = service.database, queue.timeout
        counter = MessageCounter(database)
        live = LiveMessages(counter.seen)

        def connected(client: TelegramClient) -> None:
            live.listen(client)
            account.connected()
            worker.bell.ring()

        held = hold_session(service, own, telegram_settings, connected)
        account = TelegramAccount(database, held, call_seconds=call_seconds)
        telegram = Telegram(
            account,
            stored_media(MediaStore(database, service.stream)),
            link_preview=own.userbot_link_preview,
        )
        store = Store(
            database, own.userbot_account, cap=own.account_messages_per_day, unknown_after=own.unknown_after_seconds
        )
        endings = Endings(database, service.rails, own.userbot_account)
        metrics = BroadcastMetrics(service.registry)
        rules = Rules(own.min_seconds_between_chats, own.max_seconds_between_chats, queue, own.unknown_after_seconds)
        waiting = Waiting(rules.longest)

        def trying(task: Task, material: Material) -> Trying:
            return Trying(
                task,
                material,
                store,
                telegram,
                service.pacing,
                rules,
                waiting,
                tracer=service.tracer,
                metrics=metrics,
            )

        worker = Worker(
            database,
            store,
            endings,
            telegram,
            Broadcasting(store, telegram, Preparation(store, own.target_chat_ids), trying),
            queue,
            metrics,
            poll_seconds=own.worker_poll_seconds,
            max_attempts=own.max_task_attempts,
            lease_seconds=service.leases.ttl,
        )

        async def obstacle() -> str | None:
            return telegram.problem or waiting.problem or (worker.obstacle if held.held else None)

        service.health.add("telegram", obstacle)
        register(service, store, worker.bell.ring, teller_of(service, summary, telegram_settings, call_seconds))
        service.background(Cancellations(endings).keep)
        # Stopped in this order: a send that is under way still needs the session.
        service.background(lambda: one_after_the_other([worker.keep(), counter.keep(), held.run()]))
        await service.run(stop)


def main() -> None:
    """Entry point of the service."""
    services.main(
        "userbot",
        "Sends posts to many chats as a user account.",
        run,
        UserbotSettings,
        SummarySettings,
        TelegramSettings,
    )


def hold_session(
    service: Service, own: UserbotSettings, settings: TelegramSettings, connected: Callable[[TelegramClient], None]
) -> HeldSession:
    """Return the session, to be run by the service; `connected` is called after each connect."""
    if settings.sandboxed:
        log.warning("SANDBOX: Telegram is %s", settings.telegram_server)
    if not own.session:
        log.warning("%s: requests are kept, and nothing is sent", NOT_SET_UP)

    async def open_session() -> TelegramClient:
        if not own.session:
            raise NoSession(NOT_SET_UP)
        return await open_user(own.session, settings, own.session_variable)

    async def is_connected(client: TelegramClient, _me: User) -> None:
        connected(client)

    async def died(why: str) -> None:
        if not own.session:  # whoever does not broadcast need not be told each time
            return
        notice = NotifyRequested(
            kind="userbot.session_dead",
            severity="error",
            title=f"The Telegram session of {own.userbot_account} is dead: {why}"[:200],
            detail=f"{why}. Sign in again with `postroom login`, set "
            f"{own.session_variable} and restart; broadcasts go on where they were.",
            fingerprint=f"userbot.session_dead/{own.userbot_account}",
        )
        try:
            await service.emit([notice], cause=f"session/{own.userbot_account}/{uuid4()}")
        except UNREACHABLE as error:  # the session's loop goes on, and health says what is wrong with it
            log.warning("the end of the session could not be told: %r", error)

    return HeldSession(
        session_name(own.session),
        service.leases,
        open_session,
        connected=is_connected,
        died=died,
    )


def teller_of(
    service: Service, summary: SummarySettings, settings: TelegramSettings, call_seconds: Callable[[], float]
) -> Teller | None:
    """Return who tells an administrator, where a bot and an administrator are set."""
    token = summary.admin_notify_bot_token.get_secret_value()
    if not token or not summary.admin_id:
        if token or summary.admin_id:
            log.warning("nobody is told how broadcasts end: ADMIN_NOTIFY_BOT_TOKEN and ADMIN_ID are both needed")
        return None
    sessions = BotSessions(service.database, settings)
    return Bot(sessions, service.leases, token, summary.admin_id, call_seconds=call_seconds)


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
