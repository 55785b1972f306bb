"""One's own: name, language, theme, zone, password, and where one is signed in."""

from uuid import UUID
from zoneinfo import ZoneInfo

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.settings.form import Form, refused
from api.panel.sessions.me import (
    LikesChange,
    OwnPassword,
    change_me,
    change_own_password,
    end_other_sessions,
    end_own_session,
    get_me,
    list_own_sessions,
)
from common.users.people import time_zones

router = screen()

SAVED = {"likes": "Saved", "password": "The password is changed, and your other sessions have ended"}


@router.get("/settings")
async def show_profile(desk: Asking, saved: str = "") -> Response:
    """Show what is one's own."""
    if saved in SAVED:
        desk.toast(desk.gettext(SAVED[saved]))
    return await _profile(desk)


@router.post("/settings/profile")
async def save_profile(desk: Asking) -> Response:
    """Change what one is called and likes."""
    given = await desk.form()
    values = {name: given.get(name, "") for name in ("name", "language", "theme", "time_zone")}
    try:
        change = desk.given(LikesChange, **values, shortcuts="shortcuts" in given)
        await desk.act(change_me, change=change)
    except Problem as problem:
        return await _profile(desk, likes=refused(desk, given, problem))
    return desk.redirect("/settings?saved=likes")


@router.post("/settings/password")
async def save_password(desk: Asking) -> Response:
    """Change one's password."""
    given = await desk.form()
    try:
        body = desk.given(OwnPassword, current=given.get("current", ""), password=given.get("password", ""))
        await desk.act(change_own_password, given=body)
    except Problem as problem:
        return await _profile(desk, password=refused(desk, {}, problem))
    return desk.redirect("/settings?saved=password")


@router.post("/settings/sessions/end-others")
async def end_others(desk: Asking) -> Response:
    """Sign out everywhere else."""
    await desk.act(end_other_sessions)
    return desk.redirect("/settings")


@router.post("/settings/sessions/{session_id}/end")
async def end_session(desk: Asking, session_id: UUID) -> Response:
    """Sign out elsewhere."""
    await desk.act(end_own_session, session_id=session_id)
    return desk.redirect("/settings")


async def _profile(desk: Desk, likes: Form | None = None, password: Form | None = None) -> Response:
    me = await desk.read(get_me)
    sessions = await desk.read(list_own_sessions)
    forms = [each for each in (likes, password) if each]
    return desk.page(
        "settings.html",
        status=forms[0].status if forms else 200,
        me=me,
        sessions=sessions,
        likes=likes or Form({**me.model_dump(), "time_zone": me.time_zone or desk.viewer.zone.key}),
        password=password or Form({}),
        zones=sorted(time_zones()),
        zone=ZoneInfo(me.time_zone) if me.time_zone else desk.viewer.zone,
    )
