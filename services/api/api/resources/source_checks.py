"""Checks of sources: what there is to read at an address, before it is a source and after. Nothing is collected."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID, uuid4

import asyncpg
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Utc
from api.statements import statement
from common.events import CheckRequested
from common.source_addresses import Kind, recognised
from common.telegram.addresses import NoAddress

router = resource("sources")

PATIENCE = timedelta(seconds=45)  # more than a look may take, and another replica that takes the session over
# What a person can do about it, by what stands in the way.
ADVICE = {
    "address_refused": "It is in a private network. Let an administrator allow that for this source.",
    "not_an_address": "Give an address that begins with http:// or https://.",
    "not_a_feed": "Give the address of the feed itself: sites often call it RSS.",
    "unusable_answer": "Open the address in a browser: it may have moved, or ask for a password.",
    "unreachable": "See whether it opens in a browser; then check again.",
    "timed_out": "It is slow, or away. Check again in a while.",
    "no_such_chat": "See how the name is written: it is what follows t.me/.",
    "no_access": "Let the account of the collector join it; then check again.",
    "a_person": "Give the name of a channel or a group.",
    "forbids_saving": "Nothing can be done: a copy would put the account at risk.",
    "asks_to_wait": "Check again when that time is over.",
    "no_session": "Sign in with `postroom login` and set TELETHON_SESSION. Feeds need no session.",
    "session_dead": "Sign in again with `postroom login`, set TELETHON_SESSION and restart the collector.",
    "failed": "Check again; if it stays so, look into the collector's logs.",
    "unanswered": "See whether the collector runs, and whether check_queue is paused.",
}


class NewCheck(Given):
    """An address that may become a source."""

    address: Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)] = Field(
        description="@channel, a link to it, its id, or a feed's URL"
    )
    kind: Kind | None = Field(default=None, description="left out: told by the address")
    allow_private: bool = Field(
        default=False, description="of a feed: it may be in a private network; needs the scope admin"
    )


class SeenPost(Answer):
    """A post that is there now."""

    text: str = Field(description="its title, or how it begins")
    at: Utc | None
    url: str | None


class Suggestion(Answer):
    """Another address, which may be what is meant."""

    address: str
    title: str


class SourceCheck(Answer):
    """A check, with its answer as soon as that is there."""

    id: UUID
    kind: Kind
    address: str = Field(description="as a source would have it")
    allow_private: bool
    asked_at: Utc
    answered_at: Utc | None
    status: Literal["waiting", "readable", "unreadable"]
    trouble: str | None = Field(default=None, description="what stands in the way, in one word")
    detail: str | None = Field(default=None, description="and in a sentence")
    advice: str | None = Field(default=None, description="what to do about it")
    what: str | None = Field(default=None, description="rss, atom, json, channel or group")
    title: str = ""
    posts: int | None = Field(default=None, description="how many there are; of a feed, how many it shows")
    newest: list[SeenPost] = Field(default=[], description="at most three")
    suggestions: list[Suggestion] = Field(default=[], description="feeds that the page names which is there instead")
    source_id: UUID | None = Field(description="the source that has this address already")


@router.post("/check", status_code=202)
async def check_source(given: NewCheck, call: Calling) -> SourceCheck:
    """Look whether there is something to read at an address. The answer is there within seconds."""
    if given.allow_private and not call.caller.allows("admin"):
        raise Problem("forbidden", f"allow_private needs the scope admin; the caller has {call.caller.scope}")
    kind, address = _recognised(given)
    check_id = uuid4()
    await call.database.fetchrow(statement("sources", "ask"), check_id, kind, address, given.allow_private)
    await call.emit(
        CheckRequested(check_id=check_id, kind=kind, address=address, allow_private=given.allow_private),
        cause=f"check/{check_id}",
    )
    call.recorded = False  # nothing is changed by it
    call.headers["Location"] = f"{call.path.removesuffix('/check')}/checks/{check_id}"
    return await get_source_check(check_id, call)


@router.get("/checks/{check_id}")
async def get_source_check(check_id: UUID, call: Calling) -> SourceCheck:
    """Read a check. They are kept for a day."""
    return await _check(call, check_id)


async def _check(call: Call, check_id: UUID) -> SourceCheck:
    row = await call.database.fetchrow(statement("sources", "get_check"), check_id)
    return found(_answered(row) if row else None, "check")


def _recognised(given: NewCheck) -> tuple[Kind, str]:
    try:
        kind, address = recognised(given.address)
    except NoAddress as error:
        raise _wrong(str(error)) from None
    if given.kind not in (None, kind):
        raise _wrong(f"{given.address!r} is no address of the kind {given.kind}")
    return kind, address


def _answered(row: asyncpg.Record) -> SourceCheck:
    values: dict[str, Any] = {name: row[name] for name in row.keys() if name not in ("finding", "now")}  # noqa: SIM118
    finding = row["finding"] or _unanswered(row["asked_at"], row["now"])
    if finding is None:
        return SourceCheck(**values, status="waiting")
    trouble = finding.get("trouble")
    return SourceCheck(
        **values | finding,
        status="unreadable" if trouble else "readable",
        advice=ADVICE.get(trouble) if trouble else None,
    )


def _unanswered(asked_at: datetime, now: datetime) -> dict[str, str] | None:
    if now - asked_at < PATIENCE:
        return None
    return {"trouble": "unanswered", "detail": f"nobody has answered within {PATIENCE.seconds} s"}


def _wrong(detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"in": "body", "pointer": "/address", "detail": detail}])
