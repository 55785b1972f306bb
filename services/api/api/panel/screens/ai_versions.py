"""What a profile said over time, the difference between any two versions, and going back to one."""

from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.routes import screen
from api.panel.screens.ai_view import differences
from api.resources.profile_versions import get_profile_version, list_profile_versions, restore_profile_version
from api.resources.profiles import get_profile

router = screen()


@router.get("/ai/{profile_id}/versions")
async def show_versions(
    desk: Asking, profile_id: UUID, old: int | None = None, new: int | None = None, after: str = ""
) -> Response:
    """Show the versions of a profile, and two of them side by side."""
    return await _shown(desk, profile_id, old, new, after)


@router.post("/ai/{profile_id}/versions/{number}/restore")
async def restore(desk: Asking, profile_id: UUID, number: int, back: str = "") -> Response:
    """Make a new version that says what an older one said."""
    before = await desk.read(get_profile, profile_id=profile_id)
    etag = (await desk.form()).get("etag") or None
    restored = await desk.act(restore_profile_version, profile_id=profile_id, number=number, if_match=etag)
    if back:  # an undo: whatever page shows it is loaded anew
        return desk.redirect(f"/ai/{profile_id}" if back == "profile" else f"/ai/{profile_id}/versions")
    if restored.version == before.version:
        desk.toast(desk.gettext("It says that already: nothing is different"))
    else:
        said = desk.gettext("Version %(new)s says what version %(old)s said", new=restored.version, old=number)
        desk.toast(said, undo=url(f"/ai/{profile_id}/versions/{before.version}/restore", back="versions"))
    if desk.by_htmx:
        return await _shown(desk, profile_id, before.version, restored.version)
    return desk.redirect(f"/ai/{profile_id}/versions")


async def _shown(desk: Desk, profile_id: UUID, old: int | None, new: int | None, after: str = "") -> Response:
    profile = await desk.read(get_profile, profile_id=profile_id)
    page = await desk.read(list_profile_versions, profile_id=profile_id, cursor=after)
    new = new or profile.version
    old = old or max(1, new - 1)
    try:
        before = await desk.read(get_profile_version, profile_id=profile_id, number=old)
        now = await desk.read(get_profile_version, profile_id=profile_id, number=new)
    except Problem:  # an address that somebody made up
        return desk.redirect(f"/ai/{profile_id}/versions")
    return desk.page(
        "ai_versions.html",
        "versions",
        profile=profile,
        etag=desk.etag(profile),
        versions=page.items,
        following=page.next,
        numbers=range(profile.version, 0, -1),
        before=before,
        now=now,
        fields=differences(before, now) if old != new else [],
    )
