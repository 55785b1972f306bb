"""MTProto 2.0 encryption, the server's side (https://core.telegram.org/mtproto/description)."""

import os
import struct
from dataclasses import dataclass
from hashlib import sha256

from sandbox.telegram.keys import Key
from sandbox.telegram.wire import aes_key, decrypt_ige, encrypt_ige

HEADER = struct.Struct("<qqqii")  # salt, session id, message id, sequence number, length
KEY_ID = struct.Struct("<q")


@dataclass(frozen=True, slots=True)
class Incoming:
    """A decrypted message of a client."""

    session_id: int
    message_id: int
    body: bytes


def decrypt(key: Key, packet: bytes) -> Incoming:
    """Decrypt what a client sent; ConnectionError if it was not encrypted with this key."""
    message_key = packet[8:24]
    plain = decrypt_ige(packet[24:], *aes_key(key.key, message_key, from_client=True))
    if sha256(key.key[88:120] + plain).digest()[8:24] != message_key:
        raise ConnectionError("The message key does not fit the message")
    _, session_id, message_id, _, length = HEADER.unpack_from(plain)
    return Incoming(session_id, message_id, plain[HEADER.size : HEADER.size + length])


def encrypt(key: Key, session_id: int, message_id: int, sequence: int, body: bytes) -> bytes:
    """Encrypt a message for a client."""
    plain = HEADER.pack(0, session_id, message_id, sequence, len(body)) + body
    plain += os.urandom(-(len(plain) + 12) % 16 + 12)
    message_key = sha256(key.key[96:128] + plain).digest()[8:24]
    secret = aes_key(key.key, message_key, from_client=False)
    return KEY_ID.pack(key.id) + message_key + encrypt_ige(plain, *secret)
