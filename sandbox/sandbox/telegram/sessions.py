"""Which connections there are, whose they are, and that no session is used twice at once."""

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence

from sandbox.telegram.buttons import Press
from sandbox.telegram.errors import RpcError
from sandbox.telegram.keys import Key
from sandbox.telegram.messages import Change
from sandbox.telegram.peers import output_peer
from sandbox.telegram.people import User
from sandbox.telegram.transport import Connection
from sandbox.telegram.views import Views
from sandbox.telegram.wire import tl
from sandbox.telegram.world import World

DEAD_KEY_CODES = {"AUTH_KEY_DUPLICATED": 406}
GRACE_SECONDS = 0.05

logger = logging.getLogger(__name__)


class Sessions:
    """The connections of all clients."""

    def __init__(self, world: World, views: Views) -> None:
        self._world = world
        self._views = views
        self.connections: set[Connection] = set()

    def rivals(self, connection: Connection) -> list[Connection]:
        """Other live connections over which another session of the same key has called.

        A client that reconnects has closed its old connection first, and one that was killed had its connection closed
        by the operating system.
        """
        return [
            other
            for other in self.connections
            if other.key is connection.key
            and other is not connection
            and other.alive
            and other.has_called
            and other.session_id != connection.session_id
        ]

    def after_grace(self, callback: Callable[[], None]) -> None:
        """Call back when a connection that is being closed will have been closed."""
        asyncio.get_running_loop().call_later(GRACE_SECONDS, callback)

    def claim(self, connection: Connection, key: Key) -> None:
        """The session is in use over this connection from now on.

        401 or 406 if the key is dead. If the session is in use elsewhere, the key dies for good, for both:
        406 AUTH_KEY_DUPLICATED (https://core.telegram.org/api/errors#406-not-acceptable).
        """
        if not key.dead and self.rivals(connection):
            logger.warning("A session of user %s is used over two connections at once: it dies", key.user_id)
            self._world.keys.kill(key, "AUTH_KEY_DUPLICATED")
        if key.dead:
            raise RpcError(DEAD_KEY_CODES.get(key.dead, 401), key.dead)
        connection.has_called = True

    def tell(self, changes: Sequence[Change], origin: object) -> None:
        """Push what changed to everybody concerned who is connected, except over the connection it came from."""
        for connection, user in self._listening():
            if connection is origin:
                continue
            seen = [change for change in changes if self._concerns(change, user)]
            if seen:
                updates = [self._views.change(user, change) for change in seen]
                concerned = [change.chat_id for change in seen]
                concerned += self._views.concerned(change.message for change in seen)
                connection.send(bytes(self._views.updates(user, updates, concerned)), answer=False)

    def tell_of_press(self, press: Press) -> None:
        """Push a pressed button to its bot."""
        update = tl.UpdateBotCallbackQuery(
            query_id=press.query_id,
            user_id=press.user.id,
            peer=output_peer(press.message.chat_id),
            msg_id=press.message.id,
            chat_instance=press.message.chat_id,
            data=press.data,
        )
        for connection, listener in self._listening():
            if listener is press.bot:
                answer = self._views.updates(listener, [update], (press.user.id, press.message.chat_id))
                connection.send(bytes(answer), answer=False)

    def _listening(self) -> Iterator[tuple[Connection, User]]:
        for connection in tuple(self.connections):
            key = connection.key
            if key is None or key.user_id is None or key.dead or not (connection.alive and connection.wants_updates):
                continue
            user = self._world.people.get(key.user_id)
            if user is not None:
                yield connection, user

    def _concerns(self, change: Change, user: User) -> bool:
        if change.box > 0:
            return change.box == user.id
        chat = self._world.chat_book.get(change.box)
        return chat is not None and chat.has(user)
