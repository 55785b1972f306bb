"""The MTProto server: listens, and answers what came in together with one commit."""

import asyncio
import logging
from collections.abc import Callable

from sandbox.faults import Faults
from sandbox.telegram.cipher import Incoming
from sandbox.telegram.dispatch import Dispatcher
from sandbox.telegram.handlers import all_routes
from sandbox.telegram.handlers.calls import Services
from sandbox.telegram.handshake import Handshake, ServerKey, make_rsa_key
from sandbox.telegram.keys import Key
from sandbox.telegram.logins import Logins
from sandbox.telegram.peers import Peers
from sandbox.telegram.sessions import Sessions
from sandbox.telegram.transport import Connection
from sandbox.telegram.troubles import Troubles
from sandbox.telegram.views import Views
from sandbox.telegram.world import World

logger = logging.getLogger(__name__)


class TelegramServer:
    """The Telegram server of a world, on one TCP port (0: a free one, which `.port` names after `start()`).

    `rsa_key_pem` is the private key in PKCS#1 PEM; without one the world's own is used, made once and kept.
    A client trusts the server by `telethon.crypto.rsa.add_key(server.public_key_pem, old=False)`, after it cleared
    `telethon.crypto.rsa._server_keys`, and finds it by `session.set_dc(2, host, port)`.
    """

    def __init__(
        self, world: World, faults: Faults, host: str = "127.0.0.1", port: int = 0, rsa_key_pem: str | None = None
    ) -> None:
        self.world = world
        self.host = host
        self.port = port
        self._faults = faults
        self._server_key = ServerKey(rsa_key_pem or self._own_rsa_key())
        peers = Peers(world)
        self._views = Views(world, peers)
        self.sessions = Sessions(world, self._views)
        self._peers = peers
        self._logins = Logins()
        self._dispatcher: Dispatcher | None = None
        self._server: asyncio.Server | None = None
        self._with_output: list[Connection] = []
        self._listening: list[Callable[[], None]] = []

    @property
    def public_key_pem(self) -> str:
        """The RSA key that clients must trust, as PKCS#1 PEM."""
        return self._server_key.public_pem

    async def start(self) -> None:
        """Listen for clients."""
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(lambda: Connection(self), self.host, self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        services = Services(self.world, self._peers, self._views, self._logins, (self.host, self.port))
        troubles = Troubles(self._faults, self.world.clock)
        self._dispatcher = Dispatcher(services, all_routes(), self.sessions, troubles)
        self._listening = [
            self.world.listen(self.sessions.tell),
            self.world.buttons.listen(self.sessions.tell_of_press),
        ]

    async def stop(self) -> None:
        """Close every connection and stop listening."""
        for stop_listening in self._listening:
            stop_listening()
        self._listening.clear()
        self.world.store.commit()
        for connection in tuple(self.sessions.connections):
            connection.abort()
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    def calls(self) -> dict[str, int]:
        """How often each method was called since the start."""
        return dict(self._dispatcher.calls) if self._dispatcher else {}

    # What connections call (transport.Gateway)

    def opened(self, connection: Connection) -> None:
        """A client connected."""
        self.sessions.connections.add(connection)

    def closed(self, connection: Connection) -> None:
        """A client is gone."""
        self.sessions.connections.discard(connection)

    def handshake(self) -> Handshake:
        """Begin a key exchange."""
        return Handshake(self._server_key)

    def agree(self, key: Key) -> None:
        """Keep the key that a client and the server agreed on, before the client hears of it."""
        self.world.keys.add(key)
        self.world.store.commit()

    def key(self, key_id: int) -> Key | None:
        """The key with this id."""
        return self.world.keys.get(key_id)

    def receive(self, connection: Connection, key: Key, incoming: Incoming) -> None:
        """Answer a client's message."""
        assert self._dispatcher is not None
        self._dispatcher.receive(connection, key, incoming.message_id, incoming.body)

    def has_output(self, connection: Connection) -> None:
        """Write out at the end of this turn of the loop, when all that came in with it is on record."""
        if not self._with_output:
            asyncio.get_running_loop().call_soon(self._flush)
        self._with_output.append(connection)

    def _flush(self) -> None:
        waiting, self._with_output = self._with_output, []
        try:
            self.world.store.commit()
        except Exception:
            # Nobody may hear of what is not on record; cut off, the clients ask again.
            logger.exception("The sandbox could not save its records")
            for connection in waiting:
                connection.abort()
            return
        for connection in waiting:
            connection.flush()

    def _own_rsa_key(self) -> str:
        kept = self.world.store.remembered("rsa_key")
        if kept is None:
            kept = make_rsa_key().encode()
            self.world.store.remember("rsa_key", kept)
            self.world.store.commit()
        return kept.decode()
