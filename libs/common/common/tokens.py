"""Tokens of the API: who may call it, and how far. Only their digests are stored."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias, get_args
from uuid import UUID

import asyncpg

from common.postgres import Database, Queries

Scope: TypeAlias = Literal["read", "write", "admin"]
SCOPES: tuple[Scope, ...] = get_args(Scope)  # each includes the ones before it
PREFIX = "prt_"


class TokenRefused(Exception):
    """The token is unknown, has expired or was revoked; the message says which."""


class TokenExists(Exception):
    """There is a valid token of that name."""


class NoSuchToken(Exception):
    """There is no valid token of that name."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token, without its secret. `expires_at` None: never; `last_used_at` is exact to the minute."""

    id: UUID
    name: str
    scope: Scope
    created_by: str
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    last_used_at: datetime | None

    def allows(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed to it."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


class Tokens:
    """Makes, checks and revokes tokens."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "tokens.sql")

    async def create(self, name: str, scope: Scope, *, expires_at: datetime | None, by: str) -> tuple[Token, str]:
        """Make a token; return it with its secret, which is shown this once. Raises TokenExists."""
        secret = PREFIX + secrets.token_urlsafe(32)
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(self._sql["create"], name, digest(secret), scope, expires_at, by)
        except asyncpg.UniqueViolationError:
            raise TokenExists(f"there is a token {name} already: revoke it, or choose another name") from None
        assert row
        return Token(**dict(row)), secret

    async def all(self) -> list[Token]:
        """Return all tokens, the newest first."""
        return [Token(**dict(row)) for row in await self._database.fetch(self._sql["list"])]

    async def revoke(self, name: str) -> Token:
        """Refuse a token from now on. Raises NoSuchToken."""
        rows = await self._database.strict_fetch(self._sql["revoke"], name)
        if not rows:
            raise NoSuchToken(f"there is no valid token {name}")
        return Token(**dict(rows[0]))

    async def check(self, secret: str) -> Token:
        """Return the token of a secret and note its use, at most once a minute. Raises TokenRefused."""
        row = await self._database.fetchrow(self._sql["find"], digest(secret))
        if row is None:
            raise TokenRefused("the token is not known")
        values = dict(row)
        expired, stale = values.pop("expired"), values.pop("stale")
        token = Token(**values)
        if token.revoked_at:
            raise TokenRefused("the token was revoked")
        if expired:
            raise TokenRefused("the token has expired")
        if stale:
            await self._database.lax.execute(self._sql["used"], token.id)
        return token


def digest(secret: str) -> bytes:
    """Return what is stored of a secret: it is random enough to need neither salt nor a slow hash."""
    return hashlib.sha256(secret.encode()).digest()
