"""The first administrator: made by whoever has a code, which only who runs the system is shown."""

import secrets

from common.audit import record
from common.postgres import Database, Queries, Within
from common.tokens import digest
from common.users.passwords import Passwords
from common.users.people import SQL as USERS
from common.users.people import User, Users

SQL = Queries.load(__package__, "sessions.sql")


class SetupRefused(Exception):
    """The code is not valid, or there is an administrator already."""


class Setup:
    """Makes the first administrator. Several codes may be valid: each replica logs one of its own."""

    def __init__(self, database: Database, passwords: Passwords | None = None) -> None:
        self._database = database
        self._passwords = passwords or Passwords()

    async def code(self, by: str) -> str | None:
        """Return a new code; None where there is a user already."""
        code = secrets.token_urlsafe(24)
        made = await self._database.strict_fetch(SQL["offer_setup"], digest(code), by)
        return code if made else None

    async def knows(self, code: str) -> bool:
        """Whether a code is valid."""
        row = await self._database.fetchrow(SQL["know_setup"], digest(code))
        return bool(row and row[0])

    async def needed(self) -> bool:
        """Whether there is no user yet."""
        row = await self._database.fetchrow(USERS["none"])
        return bool(row and row[0])

    async def redeem(self, code: str, login: str, name: str, password: str) -> User:
        """Make the first administrator. Raises SetupRefused and WrongTerms."""
        if not await self.knows(code):
            raise SetupRefused("the code is not valid any more: there is an administrator, or it was never one")
        async with self._database.transaction() as connection:
            await connection.fetchrow(USERS["alone"])
            if not await connection.fetchval(SQL["know_setup"], digest(code)):
                raise SetupRefused("somebody else was faster: there is an administrator now")
            users = Users(Within(connection), self._passwords)
            user = await users.create(login, password, name=name, role="admin", by="set-up")
            await connection.execute(SQL["end_setup"])
        after = {"login": user.login, "name": user.name, "role": user.role}
        await record(self._database, f"user:{user.login}", "create_user", f"/api/v1/users/{user.login}", after=after)
        return user
