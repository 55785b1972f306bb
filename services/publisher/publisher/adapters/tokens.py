"""The access tokens of accounts: as the settings give them, or as they were renewed with a refresh token since.

What was renewed is kept encrypted with a key that is derived from what the settings give, as sessions of Telegram are:
nobody else can read it, and whoever has the settings could have renewed them anyway.
"""

import base64
import hashlib
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from common.planning.refusals import NoTarget
from common.planning.targets import CANONICAL
from common.postgres import Database, Queries
from common.sends import Away, Wait
from publisher.accounts import Credentials

log = logging.getLogger(__name__)

EXPIRED_SECONDS = 60.0  # until an account is tried again whose token is not taken


class Renewed(NamedTuple):
    """New tokens; a refresh token of X is good for one refresh, https://docs.x.com/fundamentals/authentication."""

    access_token: str
    refresh_token: str


class NotRenewed(Exception):
    """The platform gives no new token: somebody has to sign in again."""


Renew = Callable[[Credentials, str], Awaitable[Renewed]]
Expired = Callable[[str, str], Awaitable[None]]


class Tokens:
    """The tokens of one platform. `expired` is told of an account whose token is over, and why, once each time."""

    def __init__(
        self,
        database: Database,
        platform: str,
        accounts: Mapping[str, Credentials],
        expired: Expired,
        renew: Renew | None = None,
    ) -> None:
        self.accounts = accounts
        self._database = database
        self._platform = platform
        self._expired = expired
        self._renew = renew
        self._current: dict[str, str] = {}
        self._told: set[str] = set()
        self._sql = Queries.load("publisher", "tokens.sql")

    async def problem(self) -> str | None:
        """Say for the health which accounts have a token that is not taken, or None."""
        return f"the access token of {', '.join(sorted(self._told))} is not taken" if self._told else None

    def named(self, address: str) -> str:
        """Return the name of an account of the settings. Raises ValueError where they have none of that name."""
        try:
            account = CANONICAL[self._platform](address)
        except NoTarget as error:
            raise ValueError(str(error)) from None
        if account not in self.accounts:
            raise ValueError(f"{self._platform.upper()}_ACCOUNTS has no account {account}")
        return account

    def credentials(self, account: str) -> Credentials:
        """Return what an account signs in with. Raises Away where the settings do not have it (any more)."""
        if account not in self.accounts:
            raise Away(f"{self._platform.upper()}_ACCOUNTS has no account {account}")
        return self.accounts[account]

    async def of(self, account: str) -> str:
        """Return the access token of an account."""
        if account not in self._current:
            given = self.credentials(account)
            if self._refresh_token(account) is None:
                self._current[account] = given.access_token.get_secret_value()
            else:
                self._current[account] = await self._kept(account)
        return self._current[account]

    async def not_taken(self, account: str, token: str, why: str) -> None:
        """Return where there is another token now, to try again with. Raises Wait, and tells of it, where not."""
        if self._current.get(account, token) != token:  # it was renewed while this call was under way
            return
        try:
            await self._replace(account, token, why)
        except NotRenewed as error:
            self._current.pop(account, None)
            if account not in self._told:
                self._told.add(account)
                await self._expired(account, str(error))
            raise Wait(
                EXPIRED_SECONDS, f"the access token of {self._platform}:{account} is not taken: {error}"
            ) from None

    def taken(self, account: str) -> None:
        """The token works."""
        self._told.discard(account)

    def _refresh_token(self, account: str) -> str | None:
        given = self.accounts[account].refresh_token
        return given.get_secret_value() if given and self._renew else None

    async def _kept(self, account: str) -> str:
        given = self._given(account)
        named, kept = hashlib.sha256("\n".join(given).encode()).digest(), _encrypted(given, given)
        await self._database.execute(self._sql["begin"], self._platform, account, named, kept)
        row = await self._database.fetchrow(self._sql["find"], self._platform, account)
        try:
            return _decrypted(given, row["tokens"]).access_token if row else given.access_token
        except NotRenewed:  # another replica has just put its own there
            return given.access_token

    def _given(self, account: str) -> Renewed:
        """Return the tokens as the settings give them."""
        return Renewed(self.accounts[account].access_token.get_secret_value(), self._refresh_token(account) or "")

    async def _replace(self, account: str, token: str, why: str) -> None:
        """Renew a token, unless another replica has done so. Raises NotRenewed."""
        if self._renew is None or self._refresh_token(account) is None:
            raise NotRenewed(why)
        given = self._given(account)
        async with self._database.transaction() as connection:  # others wait: the refresh token is good for one of us
            row = await connection.fetchrow(self._sql["find"], self._platform, account)
            if row is None:
                raise NotRenewed(why)
            current = _decrypted(given, row["tokens"])
            if current.access_token == token:
                current = await self._renew(self.accounts[account], current.refresh_token)
                await connection.execute(self._sql["refreshed"], self._platform, account, _encrypted(given, current))
                log.info("the access token of %s:%s was renewed", self._platform, account)
            self._current[account] = current.access_token


def _encrypted(given: Renewed, tokens: Renewed) -> bytes:
    return _cipher(given).encrypt(json.dumps(tokens).encode())


def _decrypted(given: Renewed, kept: bytes) -> Renewed:
    """Return what is kept. Raises NotRenewed where a replica with other settings keeps it."""
    try:
        return Renewed(*json.loads(_cipher(given).decrypt(kept)))
    except InvalidToken:
        raise NotRenewed("it is over, and another replica has other tokens in its settings") from None


def _cipher(given: Renewed) -> Fernet:
    key = HKDF(SHA256(), length=32, salt=None, info=b"postroom platform tokens").derive("\n".join(given).encode())
    return Fernet(base64.urlsafe_b64encode(key))
