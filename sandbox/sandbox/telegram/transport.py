"""One TCP connection: framing, encryption, and what waits to be sent.

Framing is MTProto's full transport, the one that Telethon uses by default
(https://core.telegram.org/mtproto/mtproto-transports#full).
"""

import asyncio
import logging
import struct
import time
from collections.abc import Callable
from typing import Protocol, cast
from zlib import crc32

from sandbox.telegram.cipher import Incoming, decrypt, encrypt
from sandbox.telegram.handshake import Handshake
from sandbox.telegram.keys import Key

FRAME_OVERHEAD_BYTES = 12  # length, sequence number, CRC32
FRAME_MAX_BYTES = 4 * 1024 * 1024
KEY_UNKNOWN = struct.pack("<i", -404)  # https://core.telegram.org/mtproto/mtproto-transports#transport-errors
CONTAINER = 0x73F1F8DC
CONTAINER_MAX_MESSAGES = 100
RPC_RESULT = struct.Struct("<Iq")
RPC_RESULT_ID = 0xF35C6D01

logger = logging.getLogger(__name__)


class Gateway(Protocol):
    """What connections belong to."""

    def opened(self, connection: "Connection") -> None:
        """A client connected."""

    def closed(self, connection: "Connection") -> None:
        """A client is gone."""

    def handshake(self) -> Handshake:
        """Begin a key exchange."""

    def agree(self, key: Key) -> None:
        """A client and the server agreed on a key."""

    def key(self, key_id: int) -> Key | None:
        """The key with this id."""

    def receive(self, connection: "Connection", key: Key, incoming: Incoming) -> None:
        """A client sent a message."""

    def has_output(self, connection: "Connection") -> None:
        """Something waits to be sent."""


class Connection(asyncio.Protocol):
    """One TCP connection of a client.

    Answers and updates wait until `flush()`: the server writes them out once what they tell of is on record.
    """

    def __init__(self, gateway: Gateway, now: Callable[[], float] = time.time) -> None:
        self._gateway = gateway
        self._now = now
        self._transport: asyncio.Transport | None = None
        self._received = bytearray()
        self._handshake: Handshake | None = None
        self._waiting: list[tuple[bool, bytes]] = []
        self._frames = 0
        self._sequence = 0
        self._last_message_id = 0
        self.key: Key | None = None
        self.session_id = 0
        self.has_called = False  # it carried an API request: the session is in use over it
        self.wants_updates = False
        self.alive = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client connected."""
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is one without saying so
        self.alive = True
        self._gateway.opened(self)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        """The client is gone."""
        self.alive = False
        self._gateway.closed(self)

    def data_received(self, data: bytes) -> None:
        """Bytes came: take whole frames off them."""
        self._received += data
        try:
            while self.alive and (packet := self._next_packet()) is not None:
                self._take(packet)
        except (ConnectionError, struct.error, BufferError, ValueError) as error:
            logger.warning("A client does not speak MTProto and is cut off: %s", error)
            self.abort()

    def answer(self, message_id: int, result: bytes) -> None:
        """Answer a request, with the next `flush()`."""
        self.send(RPC_RESULT.pack(RPC_RESULT_ID, message_id) + result)

    def send(self, body: bytes, *, answer: bool = True) -> None:
        """Send an answer or (`answer=False`) an update, with the next `flush()`."""
        if self.alive:
            if not self._waiting:
                self._gateway.has_output(self)
            self._waiting.append((answer, body))

    def flush(self) -> None:
        """Write out what waits, several messages in one container."""
        waiting, self._waiting = self._waiting, []
        while waiting:
            some, waiting = waiting[:CONTAINER_MAX_MESSAGES], waiting[CONTAINER_MAX_MESSAGES:]
            messages = [(self._next_message_id(answer=answer), self._next_sequence(), body) for answer, body in some]
            if len(messages) == 1:
                self._write_message(*messages[0])
                continue
            parts = [struct.pack("<qii", number, sequence, len(body)) + body for number, sequence, body in messages]
            container = struct.pack("<Ii", CONTAINER, len(parts)) + b"".join(parts)
            self._write_message(self._next_message_id(answer=True), self._sequence, container)

    def abort(self) -> None:
        """Cut the connection, without sending what waits."""
        self.alive = False
        self._waiting.clear()
        if self._transport is not None:
            self._transport.abort()

    def _next_packet(self) -> bytes | None:
        if len(self._received) < 4:
            return None
        length = int.from_bytes(self._received[:4], "little")
        if not FRAME_OVERHEAD_BYTES < length <= FRAME_MAX_BYTES:
            raise ConnectionError(f"A frame of {length} bytes")
        if len(self._received) < length:
            return None
        frame = bytes(self._received[:length])
        del self._received[:length]
        if crc32(frame[:-4]) != int.from_bytes(frame[-4:], "little"):
            raise ConnectionError("A frame with a wrong checksum")
        return frame[8:-4]

    def _take(self, packet: bytes) -> None:
        key_id = int.from_bytes(packet[:8], "little", signed=True)
        if key_id == 0:
            self._handshake = self._handshake or self._gateway.handshake()
            answer = self._handshake.answer(packet)
            if self._handshake.agreed is not None:
                self._gateway.agree(self._handshake.agreed)
                self._handshake = None
            self._write_frame(answer)
            return
        key = self._gateway.key(key_id)
        if key is None:
            self._write_frame(KEY_UNKNOWN)
            return
        incoming = decrypt(key, packet)
        self.key, self.session_id = key, incoming.session_id
        self._gateway.receive(self, key, incoming)

    def _next_message_id(self, *, answer: bool) -> int:
        # Server message ids are about the time in 2^-32 s, odd: 1 modulo 4 for answers, 3 for what was not asked for
        # (https://core.telegram.org/mtproto/description#message-identifier-msg-id).
        number = max(int(self._now() * 2**32) & ~3, self._last_message_id + 4)
        self._last_message_id = number
        return number | (1 if answer else 3)

    def _next_sequence(self) -> int:
        self._sequence += 2
        return self._sequence - 1

    def _write_message(self, message_id: int, sequence: int, body: bytes) -> None:
        if self.key is not None:
            self._write_frame(encrypt(self.key, self.session_id, message_id, sequence, body))

    def _write_frame(self, packet: bytes) -> None:
        if self._transport is None or not self.alive:
            return
        frame = struct.pack("<ii", len(packet) + FRAME_OVERHEAD_BYTES, self._frames) + packet
        self._frames += 1
        self._transport.write(frame + crc32(frame).to_bytes(4, "little"))
