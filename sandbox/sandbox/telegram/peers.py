"""How clients name users and chats, and whether they may.

An access hash is each account's own: one that another account was given opens nothing
(https://core.telegram.org/api/peers#access-hash).
"""

import os
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sandbox.telegram.chats import CHANNEL_MARK, Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.people import User
from sandbox.telegram.wire import tl
from sandbox.telegram.world import World

SECRET_BYTES = 32


def marked_id(named: Any, own_id: int | None = None) -> int | None:
    """The marked id of an InputPeer, InputUser or InputChannel; None if it names nothing."""
    if (channel_id := getattr(named, "channel_id", None)) is not None:
        return -CHANNEL_MARK - int(channel_id)
    if (user_id := getattr(named, "user_id", None)) is not None:
        return int(user_id)
    if (chat_id := getattr(named, "chat_id", None)) is not None:
        return -int(chat_id)
    return own_id if isinstance(named, tl.InputPeerSelf | tl.InputUserSelf) else None


def output_peer(marked: int) -> Any:
    """The Peer of a marked id."""
    if marked > 0:
        return tl.PeerUser(marked)
    return tl.PeerChannel(-marked - CHANNEL_MARK) if marked < -CHANNEL_MARK else tl.PeerChat(-marked)


class Peers:
    """Gives out access hashes and takes them back."""

    def __init__(self, world: World) -> None:
        self._world = world
        secret = world.store.remembered("access_hash_secret")
        if secret is None:
            secret = os.urandom(SECRET_BYTES)
            world.store.remember("access_hash_secret", secret)
        self._secret = secret
        self.access_hash = lru_cache(maxsize=65_536)(self._make_access_hash)

    def place(self, viewer: User, named: Any) -> User | Chat:
        """The user or chat that a request names, which the viewer may see.

        400 PEER_ID_INVALID, CHANNEL_INVALID, CHAT_ID_INVALID or CHANNEL_PRIVATE.
        """
        marked = marked_id(named, viewer.id)
        if marked is None:
            raise RpcError.bad_request("PEER_ID_INVALID")
        if marked > 0:
            return self.user(viewer, named)
        return self.chat(viewer, named)

    def user(self, viewer: User, named: Any) -> User:
        """The user that a request names."""
        marked = marked_id(named, viewer.id)
        user = self._world.people.get(marked) if marked is not None else None
        if user is None or not self._opens(viewer, user.id, named):
            raise RpcError.bad_request("PEER_ID_INVALID")
        return user

    def chat(self, viewer: User, named: Any) -> Chat:
        """The channel or group that a request names, which the viewer may see."""
        marked = marked_id(named)
        chat = self._world.chat_book.get(marked) if marked is not None else None
        if chat is None or not self._opens(viewer, chat.id, named):
            raise RpcError.bad_request("CHANNEL_INVALID" if hasattr(named, "channel_id") else "CHAT_ID_INVALID")
        chat.check_seen_by(viewer)
        return chat

    def _opens(self, viewer: User, marked: int, named: Any) -> bool:
        given = getattr(named, "access_hash", None)
        if given is None:  # oneself, and basic groups, have none
            return marked == viewer.id or -CHANNEL_MARK < marked < 0
        if given == 0 and viewer.is_bot:  # https://core.telegram.org/api/bots/ids
            return True
        return bool(given == self.access_hash(viewer.id, marked))

    def _make_access_hash(self, viewer_id: int, marked: int) -> int:
        digest = blake2b(b"%d %d" % (viewer_id, marked), digest_size=8, key=self._secret).digest()
        return int.from_bytes(digest, "little", signed=True)
