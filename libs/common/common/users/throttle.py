"""Attempts to sign in: after a few that failed each one waits, twice as long as the one before.

They are counted in PostgreSQL before the password is looked at, so that neither replicas nor requests at the same time
get more of them. It is the same for logins that nobody has.
"""

import hashlib
import ipaddress
import math

from common.postgres import Database, Queries

FREE_OF_LOGIN, FREE_OF_ADDRESS = 5, 20  # an office may share an address
LONGEST_SECONDS = 900.0
SQL = Queries.load(__package__, "sessions.sql")


class Throttled(Exception):
    """There were too many attempts; the message says how long to wait."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(1, math.ceil(seconds))
        wait = f"{self.seconds} s" if self.seconds < 120 else f"{math.ceil(self.seconds / 60)} min"
        super().__init__(f"too many attempts; try again in {wait}")


class Throttle:
    """Counts attempts to sign in."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def attempt(self, login: str, address: str) -> None:
        """Count an attempt. Raises Throttled, and then it does not count."""
        keys = (_of_address(address), FREE_OF_ADDRESS), (_of_login(login), FREE_OF_LOGIN)
        async with self._database.transaction() as connection:
            for key, free in keys:
                if await connection.fetchval(SQL["attempt"], key, free, LONGEST_SECONDS) is None:
                    raise Throttled(await connection.fetchval(SQL["wait"], key) or 0)

    async def succeeded(self, login: str, address: str) -> None:
        """Forget the attempts of the login, and this one of the address."""
        await self.forget(login)
        await self._database.execute(SQL["take_back"], _of_address(address))

    async def forget(self, login: str) -> None:
        """Let a login wait no longer."""
        await self._database.execute(SQL["forget_attempts"], _of_login(login))


def _of_login(login: str) -> bytes:
    # A digest, as people type their password there.
    return hashlib.sha256(f"login/{login.strip().lower()}".encode("utf-8", "replace")).digest()


def _of_address(address: str) -> bytes:
    """Whoever has an IPv6 address has the other ones of its /64 as well."""
    try:
        parsed = ipaddress.ip_address(address)
        network = str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else address
    except ValueError:
        network = address
    return hashlib.sha256(f"address/{network}".encode("utf-8", "replace")).digest()
