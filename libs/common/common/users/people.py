"""Who may use the panel."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any, Literal, TypeAlias, get_args
from uuid import UUID
from zoneinfo import available_timezones

import asyncpg

from common.postgres import Connection, Database, Queries
from common.tokens import SCOPES, Scope
from common.users.passwords import Passwords, WrongTerms

Role: TypeAlias = Literal["viewer", "editor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)  # each includes the ones before it
Language: TypeAlias = Literal["en", "ru"]
LANGUAGES: tuple[Language, ...] = get_args(Language)
Theme: TypeAlias = Literal["auto", "light", "dark"]
THEMES: tuple[Theme, ...] = get_args(Theme)
LOGIN = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,62}")
SQL = Queries.load(__package__, "users.sql")


class NoSuchUser(Exception):
    """There is no user of that login."""


class LoginTaken(Exception):
    """There is a user of that login."""


class LastAdministrator(Exception):
    """It is the last administrator who may sign in: without one nobody could make another."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who uses the panel, and how they like it. `time_zone` is a name of the IANA's."""

    id: UUID
    login: str
    name: str
    role: Role
    language: Language
    time_zone: str
    theme: Theme
    shortcuts: bool

    @property
    def scope(self) -> Scope:
        """What the role allows, as the API names it."""
        return SCOPES[ROLES.index(self.role)]

    def allows(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed to them."""
        return SCOPES.index(self.scope) >= SCOPES.index(scope)


@dataclass(frozen=True, slots=True)
class User:
    """A user, as it is administered. `language` and `time_zone` None: the browser's, at the first sign-in."""

    id: UUID
    login: str
    name: str
    role: Role
    language: Language | None
    time_zone: str | None
    theme: Theme
    shortcuts: bool
    password_at: datetime
    created_by: str
    created_at: datetime
    disabled_at: datetime | None
    seen_at: datetime | None


def person_of(row: asyncpg.Record) -> Person:
    """Return the person of a row of `users`."""
    values = {name: row[name] for name in ("id", "login", "name", "role", "theme", "shortcuts")}
    return Person(**values, language=row["language"] or "en", time_zone=row["time_zone"] or "UTC")


class Users:
    """Makes and changes users."""

    def __init__(self, database: Database, passwords: Passwords | None = None) -> None:
        self._database = database
        self._passwords = passwords or Passwords()

    async def create(self, login: str, password: str, *, name: str = "", role: Role = "viewer", by: str) -> User:
        """Add a user. Raises LoginTaken and WrongTerms."""
        login = normal_login(login)
        hashed = await self._passwords.hashed(password, login=login)
        try:
            async with self._database.transaction() as connection:
                row = await connection.fetchrow(SQL["create"], login, name.strip() or login, role, hashed, by)
        except asyncpg.UniqueViolationError:
            raise LoginTaken(f"there is a user {login} already") from None
        assert row
        return User(**dict(row))

    async def all(self) -> list[User]:
        """Return all users, the newest first."""
        return [User(**dict(row)) for row in await self._database.fetch(SQL["list"])]

    async def get(self, login: str) -> User:
        """Return a user. Raises NoSuchUser."""
        return _the(await self._database.fetchrow(SQL["get"], _folded(login)), login)

    async def change(self, login: str, **values: Any) -> User:
        """Change name, role, language, time_zone, theme or shortcuts; what is left out stays.

        Raises NoSuchUser, LastAdministrator and WrongTerms.
        """
        async with self._alone() as connection:
            current = await _locked(connection, login)
            new = replace(current, **values)
            _check(new)
            if current.role == "admin" and new.role != "admin":
                await _keep_one(connection, current)
            return await _written(connection, new)

    async def set_password(self, login: str, password: str, *, keep: UUID | None = None) -> User:
        """Give a user another password, and end their sessions but that of the id `keep`.

        Raises NoSuchUser and WrongTerms.
        """
        hashed = await self._passwords.hashed(password, login=login)
        async with self._database.transaction() as connection:
            return _the(await connection.fetchrow(SQL["set_password"], _folded(login), hashed, keep), login)

    async def disable(self, login: str) -> User:
        """Let a user sign in no more, and end their sessions. Raises NoSuchUser and LastAdministrator."""
        async with self._alone() as connection:
            current = await _locked(connection, login)
            if current.role == "admin" and not current.disabled_at:
                await _keep_one(connection, current)
            return User(**dict(_one(await connection.fetchrow(SQL["disable"], current.id))))

    async def enable(self, login: str) -> User:
        """Let a user sign in again. Raises NoSuchUser."""
        return _the(await self._database.fetchrow(SQL["enable"], _folded(login)), login)

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[Connection]:
        """A transaction in which nobody else takes an administrator away."""
        async with self._database.transaction() as connection:
            await connection.fetchrow(SQL["alone"])
            yield connection


def normal_login(given: str) -> str:
    """Return a login as it is stored. Raises WrongTerms where it is none."""
    login = given.strip().lower()
    if not LOGIN.fullmatch(login):
        raise WrongTerms(
            "a login has letters of a-z, digits and . _ - + @, at most 63, and begins with a letter or digit"
        )
    return login


def _folded(login: str) -> str:
    return login.strip().lower()


@cache
def time_zones() -> frozenset[str]:
    """Return the names of the time zones that there are."""
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def _check(user: User) -> None:
    if not user.name.strip() or len(user.name) > 200:
        raise WrongTerms("a name has 1 to 200 characters")
    for what, value, allowed in (
        ("role", user.role, ROLES),
        ("language", user.language or "en", LANGUAGES),
        ("theme", user.theme, THEMES),
    ):
        if value not in allowed:
            raise WrongTerms(f"{value} is no {what}; there are {', '.join(allowed)}")
    if user.time_zone is not None and user.time_zone not in time_zones():
        raise WrongTerms(f"{user.time_zone} is no time zone; they are named like Europe/Moscow")


async def _locked(connection: Connection, login: str) -> User:
    return _the(await connection.fetchrow(SQL["get"], _folded(login)), login)


async def _keep_one(connection: Connection, leaving: User) -> None:
    if not await connection.fetchval(SQL["another_administrator"], leaving.id):
        raise LastAdministrator(f"{leaving.login} is the last administrator who may sign in: make another one first")


async def _written(connection: Connection, user: User) -> User:
    values = user.name.strip(), user.role, user.language, user.time_zone, user.theme, user.shortcuts
    return User(**dict(_one(await connection.fetchrow(SQL["change"], user.id, *values))))


def _the(row: asyncpg.Record | None, login: str) -> User:
    if row is None:
        raise NoSuchUser(f"there is no user {login}")
    return User(**dict(row))


def _one(row: asyncpg.Record | None) -> asyncpg.Record:
    assert row
    return row
