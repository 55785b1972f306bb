"""Users and bots, and how they are found."""

import secrets
from collections.abc import Iterator
from dataclasses import dataclass

from sandbox.telegram.errors import RpcError
from sandbox.telegram.store import Store

FIRST_USER_ID = 700_000_001
FIRST_BOT_ID = 7_000_000_001


@dataclass(slots=True)
class User:
    """A person, or a bot (which has a secret)."""

    id: int
    name: str
    phone: str | None = None
    username: str | None = None
    secret: str = ""
    password: bytes | None = None

    @property
    def is_bot(self) -> bool:
        """Whether this is a bot."""
        return bool(self.secret)

    @property
    def token(self) -> str:
        """The bot's token as BotFather would show it, `<id>:<secret>`; empty for a person."""
        return f"{self.id}:{self.secret}" if self.secret else ""


class People:
    """All users and bots."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._by_id = {row[0]: User(*row) for row in store.rows("users_all")}

    def __iter__(self) -> Iterator[User]:
        return iter(self._by_id.values())

    def get(self, user_id: int) -> User | None:
        """The user with this id."""
        return self._by_id.get(user_id)

    def with_username(self, username: str) -> User | None:
        """The user with this username, in any case, with or without an @."""
        wanted = username.lstrip("@").lower()
        return next((user for user in self if user.username and user.username.lower() == wanted), None)

    def with_phone(self, phone: str) -> User | None:
        """The user with this phone number, however it is punctuated."""
        wanted = digits(phone)
        return next((user for user in self if user.phone == wanted), None)

    def with_token(self, token: str) -> User:
        """The bot with this token, or 400 ACCESS_TOKEN_INVALID."""
        for user in self:
            if user.is_bot and secrets.compare_digest(user.token, token):
                return user
        raise RpcError.bad_request("ACCESS_TOKEN_INVALID")

    def add(self, name: str, phone: str | None, username: str | None, *, bot: bool) -> User:
        """A new user; one of the same phone, username or else name is returned as it is."""
        username = username.lstrip("@") if username else None
        known = self._known(name, phone, username, bot=bot)
        if known:
            return known
        user_id = max((u.id for u in self if u.is_bot is bot), default=(FIRST_BOT_ID if bot else FIRST_USER_ID) - 1) + 1
        user = User(user_id, name, digits(phone) if phone else None, username, secrets.token_urlsafe(26) if bot else "")
        self._store.write("user_add", user.id, user.name, user.phone, user.username, user.secret)
        self._by_id[user.id] = user
        return user

    def set_password(self, user: User, password: bytes | None) -> None:
        """Keep the verifier of the two-factor password, or none."""
        user.password = password
        self._store.write("user_password", password, user.id)

    def _known(self, name: str, phone: str | None, username: str | None, *, bot: bool) -> User | None:
        if username:
            return self.with_username(username)
        if phone:
            return self.with_phone(phone)
        return next((user for user in self if user.name == name and user.is_bot is bot), None)


def digits(phone: str) -> str:
    """A phone number as Telegram keeps it: digits only."""
    return "".join(filter(str.isdigit, phone))
