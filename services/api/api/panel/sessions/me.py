"""What people change of themselves. Only the panel has it: a token is nobody."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.http.calls import Call, Calling
from api.http.problems import Problem
from api.http.routes import CallRoute, resource
from api.http.values import Change, Given, Name, merged
from api.resources.users import KnownUser, Password, SessionsOf, SignedIn
from common.planning.schedules import Zone
from common.users import PasswordRefused, Throttled, Users, WrongPassword
from common.users.people import Language, Theme


class Own(CallRoute):
    """Nobody else is told."""

    announced = False


router = resource("me", read="read", write="read", route=Own)


class Likes(Given):
    """What one can change of oneself."""

    name: Name
    language: Language | None
    time_zone: Zone | None
    theme: Theme
    shortcuts: bool


class LikesChange(Change):
    """What is to be different."""

    name: Name = ""
    language: Language | None = None
    time_zone: Zone | None = None
    theme: Theme = "auto"
    shortcuts: bool = True


class OwnPassword(Given):
    """Another password, with the one that it replaces."""

    current: Annotated[str, Field(max_length=1000)]
    password: Password


@router.get("")
async def get_me(call: Calling) -> KnownUser:
    """Read who one is."""
    return call.tagged(await _me(call))


@router.patch("")
async def change_me(change: LikesChange, call: Calling) -> KnownUser:
    """Change what one is called and likes: what is left out stays."""
    current = await _begun(call)
    new = merged(Likes, current, change)
    changed = await _users(call).change(current.login, **dict(new))
    return KnownUser.model_validate(changed, from_attributes=True)


@router.put("/password")
async def change_own_password(given: OwnPassword, call: Calling) -> KnownUser:
    """Give oneself another password. It ends one's other sessions."""
    current = await _begun(call)
    client = call.request.client
    try:
        await call.system.sessions.confirm(current.login, given.current, address=client.host if client else "")
        changed = await _users(call).set_password(current.login, given.password, keep=call.caller.id)
    except WrongPassword:
        raise _wrong("current", "that is not your password") from None
    except PasswordRefused as error:
        raise _wrong("password", str(error)) from None
    except Throttled as error:
        raise Problem("too-many-requests", str(error), headers={"Retry-After": str(error.seconds)}) from None
    return KnownUser.model_validate(changed, from_attributes=True)


@router.get("/sessions")
async def list_own_sessions(call: Calling) -> SessionsOf:
    """List where one is signed in."""
    found = await call.system.sessions.of((await _me(call)).id)
    return SessionsOf(items=[SignedIn.model_validate(each, from_attributes=True) for each in found])


@router.delete("/sessions/{session_id}", status_code=204)
async def end_own_session(session_id: UUID, call: Calling) -> None:
    """Sign oneself out elsewhere."""
    me = await _begun(call)
    if not await call.system.sessions.within(call.database).end(me.id, session_id):
        raise Problem("not-found", "there is no such session any more")


@router.delete("/sessions", status_code=204)
async def end_other_sessions(call: Calling) -> None:
    """Sign oneself out everywhere but here."""
    me = await _begun(call)
    await call.system.sessions.within(call.database).end_all(me.id, except_=call.caller.id)


async def _begun(call: Call) -> KnownUser:
    me = await _me(call)
    call.path = f"/api/v1/users/{me.login}"
    await call.alone_with("user", me.login)
    call.changing(me)
    return me


async def _me(call: Call) -> KnownUser:
    kind, _, login = call.actor.partition(":")
    if kind != "user":
        raise Problem("not-found", "a token is nobody")
    return KnownUser.model_validate(await _users(call).get(login), from_attributes=True)


def _users(call: Call) -> Users:
    return Users(call.database, call.system.sessions.passwords)


def _wrong(field: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"in": "body", "pointer": f"/{field}", "detail": detail}])
