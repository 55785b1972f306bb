"""Authorisation keys: what a session is to the server."""

import base64
import ipaddress
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha1

from sandbox.telegram.people import User
from sandbox.telegram.store import Store

DC_ID = 2


@dataclass(slots=True)
class Key:
    """A client's authorisation key (256 bytes) and what became of it.

    `dead` is the error that every call gets from now on: SESSION_REVOKED, AUTH_KEY_UNREGISTERED or
    AUTH_KEY_DUPLICATED.
    """

    key: bytes
    user_id: int | None = None
    dead: str = ""
    label: str = ""
    awaits_password_of: int | None = None
    id: int = field(init=False)

    def __post_init__(self) -> None:
        self.id = int.from_bytes(sha1(self.key, usedforsecurity=False).digest()[12:20], "little", signed=True)

    def string_session(self, host: str, port: int) -> str:
        """The key as a Telethon StringSession for a server at an IP address."""
        address = ipaddress.ip_address(host).packed
        packed = struct.pack(f">B{len(address)}sH256s", DC_ID, address, port, self.key)
        return "1" + base64.urlsafe_b64encode(packed).decode()


class Keys:
    """All authorisation keys."""

    def __init__(self, store: Store) -> None:
        self._store = store
        keys = (Key(*row) for row in store.rows("keys_all"))
        self._by_id = {key.id: key for key in keys}

    def get(self, key_id: int) -> Key | None:
        """The key with this id (signed, as SQLite keeps it)."""
        return self._by_id.get(key_id)

    def of(self, user: User) -> Iterator[Key]:
        """The keys that a user is signed in with."""
        return (key for key in list(self._by_id.values()) if key.user_id == user.id)

    def labelled(self, user: User, label: str) -> Key:
        """The key that the sandbox made for a user under a name; made now if there is none that lives."""
        for key in self.of(user):
            if key.label == label and not key.dead:
                return key
        return self.add(Key(os.urandom(256), user.id, label=label))

    def add(self, key: Key) -> Key:
        """Keep a new key."""
        self._by_id[key.id] = key
        self._keep(key)
        return key

    def sign_in(self, key: Key, user: User) -> None:
        """From now on the key stands for this user."""
        key.user_id = user.id
        key.awaits_password_of = None
        self._keep(key)

    def sign_out(self, key: Key) -> None:
        """The key stands for nobody again."""
        key.user_id = None
        self._keep(key)

    def kill(self, key: Key, error: str) -> None:
        """Refuse every call with this key from now on."""
        key.dead = error
        self._keep(key)

    def _keep(self, key: Key) -> None:
        self._store.write("key_put", key.id, key.key, key.user_id, key.dead, key.label)
