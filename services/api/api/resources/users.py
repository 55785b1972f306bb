"""Users: who may use the panel."""

from typing import Annotated
from uuid import UUID

from fastapi import Path
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Name, Utc, merged
from api.statements import statement
from common.planning.schedules import Zone
from common.users import PasswordRefused, Role, User, Users
from common.users.passwords import LONGEST, SHORTEST
from common.users.people import Language, Theme

router = resource("users", read="admin", write="admin")

Login = Annotated[
    str,
    StringConstraints(strip_whitespace=True, to_lower=True, pattern=r"^[A-Za-z0-9][A-Za-z0-9._@+-]{0,62}$"),
]
Password = Annotated[
    str,
    Field(min_length=SHORTEST, max_length=LONGEST, json_schema_extra={"format": "password", "writeOnly": True}),
]
Whose = Annotated[str, Path(max_length=200, description="the login of a user")]


class NewUser(Given):
    """A user."""

    login: Login = Field(description="what they sign in with; it can't be changed")
    name: Name | None = Field(default=None, description="left out: as the login")
    role: Role = "viewer"
    password: Password


class UserTerms(Given):
    """What can be different of a user."""

    name: Name
    role: Role
    language: Language | None
    time_zone: Zone | None
    theme: Theme
    shortcuts: bool


class UserChange(Change):
    """What is to be different."""

    name: Name = ""
    role: Role = "viewer"
    language: Language | None = None
    time_zone: Zone | None = None
    theme: Theme = "auto"
    shortcuts: bool = True


class NewPassword(Given):
    """A password."""

    password: Password


class KnownUser(Answer):
    """A user."""

    id: UUID
    login: str
    name: str
    role: Role
    language: Language | None = Field(description="null: the browser's, at the first sign-in")
    time_zone: str | None = Field(description="null: likewise")
    theme: Theme
    shortcuts: bool = Field(description="whether single keys do something")
    password_at: Utc = Field(description="when the password was set")
    created_by: str
    created_at: Utc
    disabled_at: Utc | None = Field(description="since when they may not sign in")
    seen_at: Utc | None = Field(description="when they last used the panel, to the minute")


class SignedIn(Answer):
    """A browser in which somebody is signed in."""

    id: UUID
    created_at: Utc
    used_at: Utc
    address: str
    agent: str


class SessionsOf(Answer):
    """All of a user's."""

    items: list[SignedIn]


@router.get("")
async def list_users(page: Paged) -> Page[KnownUser]:
    """List users."""
    return await page.of(KnownUser, statement("people", "list_users"))


@router.post("", status_code=201)
async def create_user(given: NewUser, call: Calling) -> KnownUser:
    """Add a user."""
    with_name = given.name or given.login
    try:
        made = await _users(call).create(given.login, given.password, name=with_name, role=given.role, by=call.actor)
    except PasswordRefused as error:
        raise _refused(error) from None
    call.created(made.login)
    return _known(made)


@router.get("/{login}")
async def get_user(login: Whose, call: Calling) -> KnownUser:
    """Read a user."""
    return call.tagged(_known(await _users(call).get(login)))


@router.patch("/{login}")
async def change_user(login: Whose, change: UserChange, call: Calling) -> KnownUser:
    """Change a user: what is left out stays. The last administrator stays one."""
    current = await _begun(call, login)
    new = merged(UserTerms, current, change)
    return call.tagged(_known(await _users(call).change(current.login, **dict(new))))


@router.put("/{login}/password")
async def set_password(login: Whose, given: NewPassword, call: Calling) -> KnownUser:
    """Give a user another password. It ends their sessions, and their waiting where they tried too often."""
    current = await _begun(call, login)
    try:
        changed = await _users(call).set_password(current.login, given.password)
    except PasswordRefused as error:
        raise _refused(error) from None
    await call.system.sessions.forgive(current.login)
    return _known(changed)


@router.post("/{login}/disable")
async def disable_user(login: Whose, call: Calling) -> KnownUser:
    """Let a user sign in no more, and end their sessions."""
    current = await _begun(call, login)
    return _known(await _users(call).disable(current.login))


@router.post("/{login}/enable")
async def enable_user(login: Whose, call: Calling) -> KnownUser:
    """Let a user sign in again."""
    current = await _begun(call, login)
    return _known(await _users(call).enable(current.login))


@router.get("/{login}/sessions")
async def list_user_sessions(login: Whose, call: Calling) -> SessionsOf:
    """List where a user is signed in."""
    user = await _users(call).get(login)
    found = await call.system.sessions.of(user.id)
    return SessionsOf(items=[SignedIn.model_validate(each, from_attributes=True) for each in found])


@router.delete("/{login}/sessions", status_code=204)
async def end_user_sessions(login: Whose, call: Calling) -> None:
    """Sign a user out everywhere."""
    current = await _begun(call, login)
    await call.system.sessions.within(call.database).end_all(current.id)


async def _begun(call: Call, login: str) -> KnownUser:
    await call.alone_with("user", login.lower())
    current = _known(await _users(call).get(login))
    call.changing(current)
    return current


def _users(call: Call) -> Users:
    return Users(call.database, call.system.sessions.passwords)


def _known(user: User) -> KnownUser:
    return KnownUser.model_validate(user, from_attributes=True)


def _refused(error: PasswordRefused) -> Problem:
    where = {"in": "body", "pointer": "/password", "detail": str(error)}
    return Problem("invalid", str(error), errors=[where])
