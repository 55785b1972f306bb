"""Versions of profiles: what each has ever said. They are made wherever a profile is written, and never changed."""

from typing import Annotated
from uuid import UUID

from fastapi import Path

from api.http.calls import Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import INT4, Answer, Utc
from api.resources.profiles import NewProfile, Profile, get_profile, read_profile, values_of
from api.statements import statement
from common.editing import CatalogEditor

router = resource("profiles")

Number = Annotated[int, Path(ge=1, le=INT4)]


class ProfileVersion(Answer):
    """What a profile said from one change to the next."""

    version: int
    name: str
    style: str
    language: str
    max_length: int
    keep: list[str]
    instructions: str
    model: str
    created_by: str
    created_at: Utc


@router.get("/{profile_id}/versions")
async def list_profile_versions(profile_id: UUID, page: Paged, call: Calling) -> Page[ProfileVersion]:
    """List the versions of a profile; those of one that was removed as well."""
    versions = await page.of(ProfileVersion, statement("catalog", "list_profile_versions"), profile_id)
    if not versions.items:
        await read_profile(call, profile_id)
    return versions


@router.get("/{profile_id}/versions/{number}")
async def get_profile_version(profile_id: UUID, number: Number, call: Calling) -> ProfileVersion:
    """Read a version of a profile."""
    row = await call.database.fetchrow(statement("catalog", "get_profile_version"), profile_id, number)
    return found(ProfileVersion(**dict(row)) if row else None, "version")


@router.post("/{profile_id}/versions/{number}/restore")
async def restore_profile_version(profile_id: UUID, number: Number, call: Calling) -> Profile:
    """Make a new version of a profile that says what an older one said. Where that is so already, nothing changes."""
    await call.alone_with("profile", profile_id)
    call.changing(await read_profile(call, profile_id))
    version = await get_profile_version(profile_id, number, call)
    values = NewProfile.model_construct(**{name: getattr(version, name) for name in NewProfile.model_fields})
    await CatalogEditor(call.database, by=call.actor).change("profile", profile_id, values_of(values))
    return await get_profile(profile_id, call)
