"""From a client's message to the calls in it, and from a call to its answer."""

import asyncio
import gzip
import logging
import struct
from collections import Counter
from collections.abc import Mapping
from functools import partial
from typing import Any

from sandbox.faults import Fault
from sandbox.telegram.errors import RpcError
from sandbox.telegram.handlers.calls import Call, Route, Services
from sandbox.telegram.keys import Key
from sandbox.telegram.peers import marked_id
from sandbox.telegram.sessions import Sessions
from sandbox.telegram.transport import CONTAINER, Connection
from sandbox.telegram.troubles import Troubles, refusal
from sandbox.telegram.wire import GZIP_PACKED, LAYER, UnknownObject, fn, read_bytes, read_object, tl, unpacked

CONTAINED = struct.Struct("<qii")  # message id, sequence number, length
VECTOR = struct.Struct("<Ii")
VECTOR_ID = 0x1CB5C415
TRUE = struct.pack("<I", 0x997275B5)
FALSE = struct.pack("<I", 0xBC799737)
GZIP_ID = struct.pack("<I", GZIP_PACKED)
CONTAINER_ID = struct.pack("<I", CONTAINER)
WRAPPERS = (
    fn.InvokeWithLayerRequest,
    fn.InitConnectionRequest,
    fn.InvokeAfterMsgRequest,
    fn.InvokeWithoutUpdatesRequest,
)
NOT_CALLS = (tl.MsgsAck, tl.MsgsStateReq, tl.HttpWait, fn.DestroySessionRequest)
CARRIED_OUT_FIRST = ("lost_answer", "drop_after", "error_after", "random_id_duplicate")

logger = logging.getLogger(__name__)


def serialise(answer: Any) -> bytes:
    """The bytes of a TL object, a bool, or a list of objects."""
    if isinstance(answer, bool):
        return TRUE if answer else FALSE
    if isinstance(answer, list):
        return VECTOR.pack(VECTOR_ID, len(answer)) + b"".join(map(bytes, answer))
    return bytes(answer)


def method_of(request: Any) -> str:
    """The name of a method as faults name it: `messages.SendMessage`, `Ping`."""
    module = type(request).__module__.rpartition(".")[2]
    name = type(request).__name__.removesuffix("Request")
    return name if module == "functions" else f"{module}.{name}"


class Dispatcher:
    """Takes messages apart, calls the handlers and answers."""

    def __init__(
        self, services: Services, routes: Mapping[type, Route], sessions: Sessions, troubles: Troubles
    ) -> None:
        self._services = services
        self._routes = routes
        self._sessions = sessions
        self._troubles = troubles
        self.calls: Counter[str] = Counter()

    def receive(self, connection: Connection, key: Key, message_id: int, body: bytes) -> None:
        """Take a message apart: a container, a packed message, a service message or a call."""
        kind = body[:4]
        if kind == CONTAINER_ID:
            position = 8
            for _ in range(int.from_bytes(body[4:8], "little")):
                inner_id, _, length = CONTAINED.unpack_from(body, position)
                position += CONTAINED.size
                self.receive(connection, key, inner_id, body[position : position + length])
                position += length
        elif kind == GZIP_ID:
            self.receive(connection, key, message_id, gzip.decompress(read_bytes(body[4:])))
        else:
            self._read(connection, key, message_id, body)

    def _read(self, connection: Connection, key: Key, message_id: int, body: bytes) -> None:
        try:
            request = read_object(body)
        except UnknownObject as error:
            logger.warning("A client called something that Telethon's layer %d lacks: %s", LAYER, error)
            self._refuse(connection, message_id, RpcError.bad_request("INPUT_METHOD_INVALID"))
            return
        if isinstance(request, fn.PingRequest | fn.PingDelayDisconnectRequest):
            connection.send(bytes(tl.Pong(message_id, request.ping_id)))
        elif not isinstance(request, NOT_CALLS):
            self._call(connection, key, message_id, request)

    def _call(self, connection: Connection, key: Key, message_id: int, request: Any, *, settled: bool = False) -> None:
        """Find out whether the session may call, and what befalls the call, before it is carried out."""
        if not settled and self._sessions.rivals(connection):
            # Perhaps the other connection is just being closed; in a moment we know.
            again = partial(self._call, connection, key, message_id, request, settled=True)
            self._sessions.after_grace(again)
            return
        try:
            self._sessions.claim(connection, key)
            request = self._unwrap(connection, key, request)
            method = method_of(request)
            self.calls[method] += 1
            fault = self._troubles.befalling(method, key.user_id, self._chat_of(request, key))
        except RpcError as error:
            self._refuse(connection, message_id, error)
            return
        if fault is None:
            self._carry_out(connection, key, message_id, request)
        elif fault.kind == "delay":
            later = partial(self._carry_out, connection, key, message_id, request)
            asyncio.get_running_loop().call_later(fault.seconds, later)
        else:
            self._suffer(connection, key, message_id, request, fault)

    def _suffer(self, connection: Connection, key: Key, message_id: int, request: Any, fault: Fault) -> None:
        if fault.kind in CARRIED_OUT_FIRST:
            self._perform(connection, key, request)
        match fault.kind:
            case "drop" | "drop_after":
                connection.abort()
            case "error_after":
                self._refuse(connection, message_id, refusal(fault.message or "INTERNAL"))
            case "random_id_duplicate":
                self._refuse(connection, message_id, RpcError(500, "RANDOM_ID_DUPLICATE"))
            case "revoke":
                self._services.world.keys.kill(key, "SESSION_REVOKED")
                self._refuse(connection, message_id, RpcError(401, "SESSION_REVOKED"))
            case "auth_key_duplicated":
                self._services.world.keys.kill(key, "AUTH_KEY_DUPLICATED")
                self._refuse(connection, message_id, RpcError(406, "AUTH_KEY_DUPLICATED"))
        self._services.world.store.commit()

    def _carry_out(self, connection: Connection, key: Key, message_id: int, request: Any) -> None:
        result = self._perform(connection, key, request)
        if isinstance(result, asyncio.Future):
            result.add_done_callback(lambda done: self._answer_later(connection, message_id, done))
        else:
            connection.answer(message_id, result)
        if not connection.alive:  # no answer, so no commit comes with it
            self._services.world.store.commit()

    def _perform(self, connection: Connection, key: Key, request: Any) -> "bytes | asyncio.Future[Any]":
        """Call the handler; what it refuses, and what goes wrong in it, becomes an error to the client."""
        try:
            answer = self._handle(connection, key, request)
            return answer if isinstance(answer, asyncio.Future) else serialise(answer)
        except RpcError as error:
            return bytes(tl.RpcError(error.code, error.name))
        except Exception:
            logger.exception("%s failed inside the sandbox", method_of(request))
            return bytes(tl.RpcError(500, "INTERNAL"))

    def _handle(self, connection: Connection, key: Key, request: Any) -> Any:
        account = self._services.world.people.get(key.user_id) if key.user_id is not None else None
        route = self._routes.get(type(request))
        if route is None:
            logger.warning("The sandbox does not have the method %s", method_of(request))
            raise RpcError.bad_request("METHOD_INVALID")
        if account is None and not route.anonymous:
            raise RpcError(401, "AUTH_KEY_UNREGISTERED")
        if account is not None and account.is_bot and not route.bots:
            raise RpcError.bad_request("BOT_METHOD_INVALID")
        return route.handler(Call(self._services, account, key, connection), request)

    def _answer_later(self, connection: Connection, message_id: int, done: "asyncio.Future[Any]") -> None:
        try:
            connection.answer(message_id, serialise(done.result()))
        except RpcError as error:
            self._refuse(connection, message_id, error)
        except asyncio.CancelledError:
            self._refuse(connection, message_id, RpcError(500, "INTERNAL"))

    def _unwrap(self, connection: Connection, key: Key, request: Any) -> Any:
        wants_updates = True
        while isinstance(request, WRAPPERS):
            if isinstance(request, fn.InvokeWithLayerRequest) and request.layer != LAYER:
                raise RpcError.bad_request("CONNECTION_LAYER_INVALID")
            wants_updates = wants_updates and not isinstance(request, fn.InvokeWithoutUpdatesRequest)
            request = request.query
        request = unpacked(request)
        if wants_updates and key.user_id is not None:
            connection.wants_updates = True
        return request

    def _chat_of(self, request: Any, key: Key) -> int | None:
        named = getattr(request, "to_peer", None) or getattr(request, "peer", None) or getattr(request, "channel", None)
        return marked_id(named, key.user_id) if named is not None else None

    def _refuse(self, connection: Connection, message_id: int, error: RpcError) -> None:
        connection.answer(message_id, bytes(tl.RpcError(error.code, error.name)))
