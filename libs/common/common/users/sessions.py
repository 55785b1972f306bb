"""Who has signed in. A session's secret is in its browser's cookie; only its digest is stored."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import asyncpg

from common.audit import record
from common.postgres import Database, Queries
from common.tokens import digest
from common.users.passwords import Passwords, WrongPassword
from common.users.people import SQL as USERS
from common.users.people import Language, Person, person_of, time_zones
from common.users.settings import SignInSettings
from common.users.throttle import Throttle

LONGEST_AGENT = 300
SQL = Queries.load(__package__, "sessions.sql")


class WrongCredentials(Exception):
    """The login, the password or both are not right, or the user is disabled: nobody is told which."""

    def __init__(self) -> None:
        super().__init__("the login or the password is not right")


@dataclass(frozen=True, slots=True)
class Session:
    """A browser in which somebody has signed in. `used_at` is exact to the minute."""

    id: UUID
    person: Person
    created_at: datetime
    used_at: datetime
    address: str
    agent: str


class Sessions:
    """Signs people in and out."""

    def __init__(
        self, database: Database, settings: SignInSettings | None = None, passwords: Passwords | None = None
    ) -> None:
        self.settings = settings or SignInSettings()
        self.passwords = passwords or Passwords()
        self._database = database
        self._limits = self.settings.session_idle_days, self.settings.session_days
        self._throttle = Throttle(database)

    def within(self, database: Database) -> "Sessions":
        """The same, inside a transaction."""
        return Sessions(database, self.settings, self.passwords)

    async def sign_in(
        self,
        login: str,
        password: str,
        *,
        address: str,
        agent: str,
        language: Language | None = None,
        time_zone: str | None = None,
    ) -> tuple[Session, str]:
        """Sign a user in; return the session and its secret. Raises WrongCredentials and Throttled.

        `language` and `time_zone` are the browser's: they become those of a user who has none yet.
        """
        await self._throttle.attempt(login, address)
        row = await self._database.fetchrow(USERS["password"], login.strip().lower())
        try:
            better = await self.passwords.verify(row["password"] if row else None, password)
        except WrongPassword:
            raise WrongCredentials from None
        if row is None or row["disabled"]:
            raise WrongCredentials
        started = await self._start(
            row["id"], row["password"], address=address, agent=agent, language=language, time_zone=time_zone
        )
        await self._throttle.succeeded(login, address)
        if better:
            await self._database.execute(USERS["rehash"], row["id"], row["password"], better)
        return started

    async def start(
        self,
        user_id: UUID,
        *,
        address: str,
        agent: str,
        language: Language | None = None,
        time_zone: str | None = None,
    ) -> tuple[Session, str]:
        """Sign in who has proved who they are; return the session and its secret. Raises WrongCredentials."""
        return await self._start(user_id, None, address=address, agent=agent, language=language, time_zone=time_zone)

    async def _start(
        self,
        user_id: UUID,
        password: str | None,  # as it is stored: it must be the same still
        *,
        address: str,
        agent: str,
        language: str | None,
        time_zone: str | None,
    ) -> tuple[Session, str]:
        secret = secrets.token_urlsafe(32)
        zone = time_zone if time_zone in time_zones() else None
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(
                SQL["start"], user_id, digest(secret), address, agent[:LONGEST_AGENT], language, zone, password
            )
        if row is None:
            raise WrongCredentials
        session = _session(row)
        actor = f"user:{session.person.login}"
        await record(self._database, actor, "sign_in", "sessions", after={"address": address, "agent": session.agent})
        return session, secret

    async def check(self, secret: str) -> Session | None:
        """Return the session of a secret and note its use, at most once a minute; None where there is none any more."""
        row = await self._database.fetchrow(SQL["find"], digest(secret), *self._limits)
        if row is None:
            return None
        if row["stale"]:
            await self._database.lax.execute(SQL["used"], row["session_id"])
        return _session(row)

    async def confirm(self, login: str, password: str, *, address: str) -> None:
        """Let somebody who is signed in prove who they are. Raises WrongPassword and Throttled."""
        await self._throttle.attempt(login, address)
        row = await self._database.fetchrow(USERS["password"], login)
        await self.passwords.verify(row["password"] if row else None, password)
        await self._throttle.succeeded(login, address)

    async def forgive(self, login: str) -> None:
        """Let a login wait no longer, however often somebody tried."""
        await self._throttle.forget(login)

    async def of(self, user_id: UUID) -> list[Session]:
        """Return a user's sessions, the last used first."""
        return [_session(row) for row in await self._database.fetch(SQL["list"], user_id, *self._limits)]

    async def sign_out(self, secret: str) -> None:
        """End the session of a secret."""
        await self._database.execute(SQL["end"], digest(secret))

    async def end(self, user_id: UUID, session_id: UUID) -> bool:
        """End a session of a user; False where there is none."""
        return bool(await self._database.strict_fetch(SQL["end_one"], user_id, session_id))

    async def end_all(self, user_id: UUID, except_: UUID | None = None) -> int:
        """End a user's sessions, but one; return how many."""
        return len(await self._database.strict_fetch(SQL["end_all"], user_id, except_))

    async def forget(self) -> None:
        """Forget sessions that have ended by themselves, and old attempts."""
        await self._database.lax.execute(SQL["forget"], *self._limits)


def _session(row: asyncpg.Record) -> Session:
    times = row["created_at"], row["used_at"]
    return Session(row["session_id"], person_of(row), *times, row["address"], row["agent"])
