"""Telegram channels and groups as sources."""

import time
from uuid import UUID

from telethon import errors

from collector.adapters.telegram_history import History
from collector.adapters.telegram_live import LiveMessages
from collector.adapters.telegram_posts import to_posts
from collector.ports import Page, RateLimited, SourceState, SourceUnreadable
from common.catalog import Source
from common.postgres import Database
from common.telegram.health import TERMINAL, reason
from common.telegram.holding import HeldSession
from common.telegram.peers import Peer, Peers, UnknownPeer

WAITS = (errors.FloodWaitError, errors.FloodPremiumWaitError, errors.SlowModeWaitError)
CLOSED = (errors.ChannelPrivateError, errors.ChannelInvalidError, errors.ChatForbiddenError, errors.PeerIdInvalidError)


class ChannelReader:
    """Reads sources with the session that we hold: `batch` messages at once, of a new source the newest `backfill`."""

    def __init__(self, session: HeldSession, database: Database, live: LiveMessages, *, batch: int, backfill: int):
        self._session = session
        self._database = database
        self._live = live
        self._batch = batch
        self._backfill = backfill
        self._waits: dict[UUID, float] = {}  # until when, by the monotonic clock: asking earlier makes it longer

    async def read(self, source: Source, state: SourceState) -> Page:
        """Return the messages after the last known one, oldest first, albums whole.

        Raises NotHeld, SessionDead and SessionUnavailable of the session, RateLimited, and SourceUnreadable.
        """
        waiting = self._waits.get(source.id, 0.0) - time.monotonic()
        if waiting > 0:
            raise RateLimited(waiting, f"Telegram asked to wait, {waiting:.0f} s are left")
        try:
            return await self._read(source, state)
        except WAITS as wait:
            self._waits[source.id] = time.monotonic() + wait.seconds
            raise RateLimited(wait.seconds, f"Telegram asks to wait {wait.seconds} s") from wait
        except UnknownPeer as error:
            raise SourceUnreadable(str(error)) from error
        except CLOSED as error:
            raise SourceUnreadable(reason(error)) from error
        except TERMINAL:
            await self._session.client()  # it finds out what became of the session, and raises that
            raise

    async def _read(self, source: Source, state: SourceState) -> Page:
        client, me = await self._session.client()
        peers = Peers(self._database, client, me.id)

        async def read_history(peer: Peer) -> Page:
            self._live.watch(peer, source)
            history = History(client, peer)
            after = state.last_message_id
            if state.last_success_at is None and self._backfill:
                after = max(after, await history.before_newest(self._backfill))
            batch = await history.read(after, self._batch)
            posts, refused = to_posts(source, peer, batch.messages)
            return Page(posts, last_message_id=batch.last_id, more=batch.more, refused=refused)

        return await peers.using(source.address, read_history)
