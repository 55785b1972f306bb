"""The collector's Telegram session: held by one replica, its news passed on."""

from telethon import TelegramClient
from telethon.tl.types import User

from collector.adapters.telegram_live import LiveMessages
from collector.collect import class_of
from collector.nudges import Nudges
from collector.ports import Page, SourceState, SourceUnreadable
from common.catalog import Source
from common.events import NotifyRequested
from common.service import Service
from common.telegram.holding import HeldSession
from common.telegram.sessions import open_user, session_name
from common.telegram.settings import SessionSettings, TelegramSettings


class NoTelegram:
    """Stands where Telegram is not set up."""

    async def read(self, source: Source, state: SourceState) -> Page:  # noqa: ARG002
        """Raise SourceUnreadable."""
        raise SourceUnreadable("Telegram is not set up: TELETHON_SESSION is not set")


def hold_session(
    service: Service,
    session: SessionSettings,
    settings: TelegramSettings,
    nudges: Nudges,
    live: LiveMessages,
) -> HeldSession:
    """Return the session, to be run by the service. After each connect everything is asked for."""
    name = session_name(session.telethon_session.get_secret_value())

    async def open_session() -> TelegramClient:
        return await open_user(session.telethon_session.get_secret_value(), settings)

    async def connected(client: TelegramClient, _me: User) -> None:
        live.listen(client)
        nudges.connected()

    async def died(reason: str) -> None:
        nudges.tell(
            NotifyRequested(
                kind="collector.session_dead",
                severity="error",
                title=f"The collector's Telegram session is dead: {reason}"[:200],
                detail=f"{reason}. Sign in again with `postroom login` and set TELETHON_SESSION; nothing is lost.",
                fingerprint=f"collector.session_dead/{name}/{class_of(reason)}",
            )
        )

    held = HeldSession(name, service.leases, open_session, connected=connected, died=died)

    async def check() -> str | None:
        return held.problem if held.held else None

    service.health.add("telegram", check)
    return held
