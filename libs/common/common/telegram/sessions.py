"""Telegram sessions: a user's from the settings, a bot's kept encrypted, so that a restart does not sign in again."""

import base64
import hashlib
import logging
import sqlite3
import struct
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from telethon import TelegramClient, errors
from telethon.sessions.sqlite import SQLiteSession
from telethon.sessions.string import StringSession
from telethon.tl.functions.auth import ImportBotAuthorizationRequest

from common.postgres import Database, Queries
from common.telegram.client import call, connect, create_client, disconnect
from common.telegram.health import (
    TERMINAL,
    UNREACHABLE,
    NoSession,
    SessionDead,
    SessionUnavailable,
    ensure_healthy,
    reason,
)
from common.telegram.settings import TelegramSettings

log = logging.getLogger(__name__)

STRING_SESSION_LENGTHS = (353, 369)  # with an IPv4 and with an IPv6 address
# Of either length, the last characters are the account's key alone: what is before them is the server's address, which
# changes without the session being another one.
KEY_CHARACTERS = 340
FILE_NAME_CHARACTERS = 100  # no file of a session has a longer name


def session_name(value: str) -> str:
    """Return a short name for the lease of the session that TELETHON_SESSION holds, such as `user-1f0c9a64d2`.

    It follows from the session alone, so that all who use the same one (collector, userbot, replicas) compete for one
    lease. A session file goes by its path, not by its key: it stays the same session when somebody signs in anew. The
    name is a digest, and may be shown: neither the key nor the path can be read from it.
    """
    value = value.strip()
    identity = value[-KEY_CHARACTERS:] if _is_string_session(value) else str(_session_file(value).resolve())
    return f"user-{hashlib.sha256(identity.encode()).hexdigest()[:10]}"


def user_session(value: str, variable: str = "TELETHON_SESSION") -> StringSession:
    """Return the session that a variable holds: a string session, or the path of a session file.

    The file is read, never written. Raises NoSession where nothing is given, and SessionDead where that is no session.
    """
    value = value.strip()
    if not value:
        raise NoSession(f"{variable} is not set: sign in with `postroom login`")
    if _is_string_session(value):
        try:
            return StringSession(value)
        except (ValueError, struct.error):  # what it says of itself would be the session
            raise SessionDead(f"{variable} is a string session of which something is missing or changed") from None
    path = _session_file(value)
    if len(path.name) > FILE_NAME_CHARACTERS:  # and not to be shown: it has most of a key
        raise SessionDead(f"{variable} is a string session of which something is missing, or there is too much")
    try:
        session = _of_file(path, variable)
    except (OSError, ValueError, sqlite3.Error) as error:
        raise SessionDead(f"the session file {path.name} can't be read: {error}") from None
    if not session.auth_key:
        raise SessionDead(f"the session file {path.name} is not signed in: sign in with `postroom login`")
    return session


def _of_file(path: Path, variable: str) -> StringSession:
    if not path.is_file():
        raise SessionDead(f"{variable} is neither a string session nor a session file ({path.name} is not there)")
    stored = SQLiteSession(str(path))
    try:
        return StringSession(StringSession.save(stored))
    finally:
        stored.close()


def _is_string_session(value: str) -> bool:
    return value.startswith("1") and len(value) in STRING_SESSION_LENGTHS


def _session_file(value: str) -> Path:
    return Path(value) if value.endswith(".session") else Path(f"{value}.session")


async def open_user(session: str, settings: TelegramSettings, variable: str = "TELETHON_SESSION") -> TelegramClient:
    """Return a connected, healthy client of the user whose session is given, as the variable holds it.

    Raises SessionDead, SessionUnavailable, and FloodWaitError.
    """
    client = create_client(user_session(session, variable), settings)
    return await _healthy(client)


class BotSessions:
    """The sessions of bots, one per name, in `telegram_sessions`.

    One session must never be used twice at once: whoever opens one holds its lease (`holding.HeldSession`). Several
    sessions of one bot may run side by side, under different names.
    """

    def __init__(self, database: Database, settings: TelegramSettings) -> None:
        self._database = database
        self._settings = settings
        self._sql = Queries.load("common", "telegram.sql")

    async def open(self, name: str, token: str, *, receive_updates: bool = False) -> TelegramClient:
        """Return a connected, healthy client of the bot, from its stored session or else signed in anew.

        Raises SessionDead where Telegram refuses the token, SessionUnavailable, and FloodWaitError: signing in is
        limited, and its wait is long.
        """
        if stored := await self._load(name, token):
            client = create_client(StringSession(stored), self._settings, receive_updates=receive_updates)
            try:
                return await _healthy(client)
            except SessionDead as dead:
                log.warning("the stored session of %s is dead, signing in anew: %s", name, dead)
        session = StringSession()
        client = create_client(session, self._settings, receive_updates=receive_updates)
        try:
            account_id = await self._sign_in(client, token)
            await self._store(name, token, session.save(), account_id)
        except BaseException:
            await disconnect(client)
            raise
        return await _healthy(client)

    async def _sign_in(self, client: TelegramClient, token: str) -> int:
        api_id, api_hash = self._settings.application
        request = ImportBotAuthorizationRequest(flags=0, api_id=api_id, api_hash=api_hash, bot_auth_token=token)
        try:
            await _reach(client)
            try:
                answer = await call(client, request)
            except errors.UserMigrateError:  # Telethon has moved to the bot's data centre by now
                answer = await call(client, request)
        except (*TERMINAL, errors.AccessTokenExpiredError, errors.AccessTokenInvalidError) as error:
            raise SessionDead(reason(error)) from error
        return int(answer.user.id)

    async def _load(self, name: str, token: str) -> str | None:
        row = await self._database.fetchrow(self._sql["session"], name)
        try:
            return _cipher(token).decrypt(row["session"]).decode() if row else None
        except InvalidToken:  # of another bot, or the token was renewed
            return None

    async def _store(self, name: str, token: str, session: str, account_id: int) -> None:
        encrypted = _cipher(token).encrypt(session.encode())
        await self._database.execute(self._sql["put_session"], name, encrypted, account_id)


async def _reach(client: TelegramClient) -> None:
    try:
        await connect(client)
    except UNREACHABLE as error:
        raise SessionUnavailable(reason(error)) from error


async def _healthy(client: TelegramClient) -> TelegramClient:
    try:
        await ensure_healthy(client)
    except BaseException:
        await disconnect(client)
        raise
    return client


def _cipher(token: str) -> Fernet:
    """Return the cipher of a bot's sessions: whoever has the token could sign in anyway, nobody else can read them."""
    key = HKDF(SHA256(), length=32, salt=None, info=b"postroom telegram session").derive(token.encode())
    return Fernet(base64.urlsafe_b64encode(key))
