"""Telethon's TL classes, codec and ciphers: its untyped side, in one place.

`tl` are the types and `fn` the functions of the layer that this Telethon speaks (https://core.telegram.org/schema).
"""

from typing import Any

from telethon import errors, helpers, password
from telethon.crypto import rsa as telethon_rsa
from telethon.crypto.aes import AES
from telethon.crypto.authkey import AuthKey
from telethon.errors.common import TypeNotFoundError
from telethon.extensions import markdown
from telethon.extensions.binaryreader import BinaryReader
from telethon.network.mtprotostate import MTProtoState
from telethon.tl import alltlobjects, functions, types
from telethon.tl.core.gzippacked import GzipPacked

tl: Any = types
fn: Any = functions
srp: Any = password
LAYER: int = alltlobjects.LAYER
GZIP_PACKED = 0x3072CFA1
UnknownObject: Any = TypeNotFoundError

_reader: Any = BinaryReader
_aes: Any = AES
_auth_key: Any = AuthKey
_rsa: Any = telethon_rsa
_state: Any = MTProtoState
_helpers: Any = helpers
_markdown: Any = markdown
_rpc_errors: Any = errors.rpc_errors_dict
_packed: Any = GzipPacked


def read_object(content: bytes) -> Any:
    """The TL object that bytes begin with; UnknownObject if the layer lacks it."""
    return _reader(content).tgread_object()


def read_objects(content: bytes, count: int) -> list[Any]:
    """Several TL objects, one after the other."""
    reader = _reader(content)
    return [reader.tgread_object() for _ in range(count)]


def read_bytes(content: bytes) -> bytes:
    """The TL byte string that bytes begin with."""
    return bytes(_reader(content).tgread_bytes())


def unpacked(request: Any) -> Any:
    """The object in a gzip_packed one; others as they are."""
    return read_object(request.data) if isinstance(request, _packed) else request


def timestamp(date: Any) -> float:
    """Seconds of the epoch of a date in a request; 0 where none was given (it travels as 0)."""
    return float(date.timestamp()) if date is not None else 0.0


def aes_key(auth_key: bytes, message_key: bytes, *, from_client: bool) -> tuple[bytes, bytes]:
    """Key and initialisation vector of a message (https://core.telegram.org/mtproto/description)."""
    key, vector = _state._calc_key(auth_key, message_key, from_client)
    return key, vector


def encrypt_ige(plain: bytes, key: bytes, vector: bytes) -> bytes:
    """AES-256 in IGE mode; the length must be a multiple of 16."""
    return bytes(_aes.encrypt_ige(plain, key, vector))


def decrypt_ige(encrypted: bytes, key: bytes, vector: bytes) -> bytes:
    """Undo `encrypt_ige`."""
    return bytes(_aes.decrypt_ige(encrypted, key, vector))


def temporary_key(server_nonce: int, new_nonce: int) -> tuple[bytes, bytes]:
    """Key and vector that protect the second half of a key exchange."""
    key, vector = _helpers.generate_key_data_from_nonce(server_nonce, new_nonce)
    return key, vector


def proof_of_key(auth_key: bytes, new_nonce: int) -> int:
    """What the server shows to prove that it has the key that was agreed on."""
    return int(_auth_key(auth_key).calc_new_nonce_hash(new_nonce, 1))


def rsa_fingerprint(public_key: Any) -> int:
    """By which the client names a server's key."""
    return int(_rsa._compute_fingerprint(public_key))


def parse_markdown(text: str) -> tuple[str, list[Any]]:
    """Text and entities of what Telethon's `md` mode writes."""
    plain, entities = _markdown.parse(text)
    return plain, entities


def error_code(name: str) -> int:
    """The code that an error of this name comes with; 400 if Telethon doesn't know it."""
    return abs(int(getattr(_rpc_errors.get(name), "code", None) or 400))
