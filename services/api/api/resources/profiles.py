"""Profiles: how posts are rewritten."""

from datetime import UTC, datetime, timedelta
from typing import Annotated
from uuid import UUID

from fastapi import Query
from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Moment, Name, Prose, Utc, merged
from api.statements import statement
from common.editing import CatalogEditor

router = resource("profiles")

DAYS = 30

Keep = Annotated[list[Annotated[str, StringConstraints(min_length=1, max_length=100)]], Field(max_length=50)]
Language = Annotated[str, StringConstraints(max_length=35)]  # https://www.rfc-editor.org/rfc/rfc5646#section-4.4.1


class NewProfile(Given):
    """A profile."""

    name: Name
    style: Prose = ""
    language: Language = Field(default="", description="BCP 47; empty: the language of the post")
    max_length: int = Field(default=4096, ge=16, le=4096, description="UTF-16 code units")
    keep: Keep = Field(default=["links", "facts", "quotes"])
    instructions: Prose = ""
    model: Annotated[str, StringConstraints(max_length=200)] = Field(default="", description="empty: the default")


class ProfileChange(Change):
    """What is to be different."""

    name: Name = ""
    style: Prose = ""
    language: Language = ""
    max_length: int = Field(default=4096, ge=16, le=4096)
    keep: Keep = Field(default=[])
    instructions: Prose = ""
    model: Annotated[str, StringConstraints(max_length=200)] = ""


class Profile(Answer):
    """A profile."""

    id: UUID
    name: str
    style: str
    language: str
    max_length: int
    keep: list[str]
    instructions: str
    model: str
    version: int = Field(description="rises with each change of its values")
    created_at: Utc


class RouteThrough(Answer):
    """A route that goes through a profile."""

    id: UUID
    name: str
    enabled: bool


class ProfileUse(Answer):
    """What was done with a profile in a time, and which routes go through it now."""

    profile_id: UUID
    rewrites: int
    refused: int = Field(description="by the model")
    last_used_at: Utc | None
    routes: list[RouteThrough]


class ProfileUses(Answer):
    """What was done with each profile."""

    since: Utc
    items: list[ProfileUse]


@router.get("")
async def list_profiles(page: Paged) -> Page[Profile]:
    """List profiles."""
    return await page.of(Profile, statement("catalog", "list_profiles"))


@router.post("", status_code=201)
async def create_profile(given: NewProfile, call: Calling) -> Profile:
    """Add a profile."""
    profile_id = await CatalogEditor(call.database, by=call.actor).add("profile", values_of(given))
    call.created(profile_id)
    return await get_profile(UUID(str(profile_id)), call)


@router.get("/use")
async def list_profile_use(
    call: Calling,
    since: Annotated[Moment | None, Query(description=f"{DAYS} days ago where it is not given")] = None,
) -> ProfileUses:
    """Read what was done with each profile, and which routes go through it."""
    begin = since or datetime.now(UTC) - timedelta(days=DAYS)
    rows = await call.database.fetch(statement("catalog", "profile_use"), begin)
    return ProfileUses(since=begin, items=[ProfileUse(**dict(row)) for row in rows])


@router.get("/{profile_id}")
async def get_profile(profile_id: UUID, call: Calling) -> Profile:
    """Read a profile."""
    return call.tagged(await read_profile(call, profile_id))


@router.patch("/{profile_id}")
async def change_profile(profile_id: UUID, change: ProfileChange, call: Calling) -> Profile:
    """Change a profile: what is left out stays."""
    await call.alone_with("profile", profile_id)
    current = await read_profile(call, profile_id)
    call.changing(current)
    values = values_of(merged(NewProfile, current, change))
    await CatalogEditor(call.database, by=call.actor).change("profile", profile_id, values)
    return await get_profile(profile_id, call)


@router.delete("/{profile_id}", status_code=204)
async def delete_profile(profile_id: UUID, call: Calling) -> None:
    """Remove a profile that no route uses."""
    await call.alone_with("profile", profile_id)
    call.changing(await read_profile(call, profile_id))
    await CatalogEditor(call.database).remove("profile", profile_id)


async def read_profile(call: Call, profile_id: UUID) -> Profile:
    """Return a profile. Raises a problem where there is none."""
    row = await call.database.fetchrow(statement("catalog", "get_profile"), profile_id)
    return found(Profile(**dict(row)) if row else None, "profile")


def values_of(profile: NewProfile) -> tuple[object, ...]:
    """Return what a profile says as `CatalogEditor` takes it."""
    return (
        profile.name,
        profile.style,
        profile.language,
        profile.max_length,
        profile.keep,
        profile.instructions,
        profile.model,
    )
