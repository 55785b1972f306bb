"""Looking at Telegram channels and groups, whether they can be read."""

from typing import Any
from uuid import UUID

from telethon.tl.functions.messages import GetHistoryRequest

from collector.adapters.telegram import CLOSED, WAITS
from collector.adapters.telegram_posts import to_posts
from collector.check import NEWEST, Finding, NothingToRead, SeenPost, shown
from common.catalog import Source
from common.postgres import Database
from common.telegram.addresses import is_id
from common.telegram.client import call
from common.telegram.health import TERMINAL, SessionDead, SessionUnavailable, reason
from common.telegram.holding import HeldSession
from common.telegram.peers import Peer, Peers, UnknownPeer

MESSAGES = 30  # an album has ten, and none of what people are told of joining is a post


class NoTelegramChecks:
    """Stands where Telegram is not set up."""

    async def look(self, address: str, *, allow_private: bool) -> Finding:  # noqa: ARG002
        """Raise NothingToRead."""
        raise NothingToRead("no_session", "Telegram is not set up: TELETHON_SESSION is not set")


class TelegramChecks:
    """Looks with the session that we hold."""

    def __init__(self, session: HeldSession, database: Database) -> None:
        self._session = session
        self._database = database

    async def look(self, address: str, *, allow_private: bool) -> Finding:  # noqa: ARG002
        """Return the newest posts of a channel or group."""
        try:
            return await self._look(address)
        except WAITS as wait:
            raise NothingToRead("asks_to_wait", f"Telegram asks to wait {wait.seconds} s") from wait
        except UnknownPeer as error:
            raise NothingToRead("no_access" if is_id(address) else "no_such_chat", str(error)) from error
        except CLOSED as error:
            raise NothingToRead("no_access", reason(error)) from error
        except SessionUnavailable as error:
            raise NothingToRead("unreachable", f"Telegram can't be reached: {error}") from error
        except (SessionDead, *TERMINAL) as error:
            said = str(error) if isinstance(error, SessionDead) else reason(error)
            raise NothingToRead("session_dead", f"the collector's Telegram session is dead: {said}") from error

    async def _look(self, address: str) -> Finding:
        client, me = await self._session.client()

        async def look(peer: Peer) -> Finding:
            if peer.kind == "user":
                raise NothingToRead("a_person", f"{address} is a person or a bot, neither a channel nor a group")
            history = GetHistoryRequest(
                peer.input_peer, offset_id=0, offset_date=None, add_offset=0, limit=MESSAGES, max_id=0, min_id=0, hash=0
            )
            return _finding(address, peer, await call(client, history))

        return await Peers(self._database, client, me.id).using(address, look)


def _finding(address: str, peer: Peer, answer: Any) -> Finding:
    chat = next((each for each in answer.chats if each.id == peer.id), None)
    if getattr(chat, "noforwards", False):
        raise NothingToRead("forbids_saving", "the channel forbids saving its content, so it is not read")
    source = Source(UUID(int=0), "telegram", address, "", enabled=True, schedule=None, allow_private=False)
    posts, _ = to_posts(source, peer, reversed(answer.messages))
    newest = posts[: -NEWEST - 1 : -1]
    return Finding(
        what="channel" if getattr(chat, "broadcast", False) else "group",
        title=getattr(chat, "title", "") or peer.title,
        posts=getattr(answer, "count", None) or len(answer.messages),
        newest=[SeenPost(shown(post.title, post.body.text), post.posted_at, post.url) for post in newest],
    )
