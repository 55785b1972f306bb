"""Profiles: how posts are rewritten."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Name, Prose, Utc, merged
from api.statements import statement
from common.editing import CatalogEditor

router = resource("profiles")

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
    created_at: Utc


@router.get("")
async def list_profiles(page: Paged) -> Page[Profile]:
    """List profiles."""
    return await page.of(Profile, statement("catalog", "list_profiles"))


@router.post("", status_code=201)
async def create_profile(given: NewProfile, call: Calling) -> Profile:
    """Add a profile."""
    profile_id = await CatalogEditor(call.database).add("profile", _values(given))
    call.created(profile_id)
    return await get_profile(UUID(str(profile_id)), call)


@router.get("/{profile_id}")
async def get_profile(profile_id: UUID, call: Calling) -> Profile:
    """Read a profile."""
    return call.tagged(await _profile(call, profile_id))


@router.patch("/{profile_id}")
async def change_profile(profile_id: UUID, change: ProfileChange, call: Calling) -> Profile:
    """Change a profile: what is left out stays."""
    await call.alone_with("profile", profile_id)
    current = await _profile(call, profile_id)
    call.changing(current)
    await CatalogEditor(call.database).change("profile", profile_id, _values(merged(NewProfile, current, change)))
    return await get_profile(profile_id, call)


@router.delete("/{profile_id}", status_code=204)
async def delete_profile(profile_id: UUID, call: Calling) -> None:
    """Remove a profile that no route uses."""
    await call.alone_with("profile", profile_id)
    call.changing(await _profile(call, profile_id))
    await CatalogEditor(call.database).remove("profile", profile_id)


async def _profile(call: Call, profile_id: UUID) -> Profile:
    row = await call.database.fetchrow(statement("catalog", "get_profile"), profile_id)
    return found(Profile(**dict(row)) if row else None, "profile")


def _values(profile: NewProfile) -> tuple[object, ...]:
    return (
        profile.name,
        profile.style,
        profile.language,
        profile.max_length,
        profile.keep,
        profile.instructions,
        profile.model,
    )
