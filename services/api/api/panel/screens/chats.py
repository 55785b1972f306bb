"""Chats: where broadcasts go, what stands in the way there, and how often one writes there."""

from typing import Any

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.resources.chats import ChatValues, NewChat, change_chat, list_chats, put_chat

router = screen()

SHOWN: dict[str, dict[str, Any]] = {"": {}, "flagged": {"flagged": True}, "off": {"enabled": False}}


@router.get("/chats")
async def move_on(desk: Asking) -> Response:
    """Lead to the chats, which are beside the broadcasts."""
    return desk.redirect("/broadcasts/chats")


@router.get("/broadcasts/chats")
async def show_chats(desk: Asking, show: str = "", cursor: str = "") -> Response:
    """List the chats."""
    return await _shown(desk, show, cursor)


@router.post("/broadcasts/chats")
async def add_chat(desk: Asking) -> Response:
    """Add a chat."""
    form = await desk.form()
    values = {"address": form.get("address", "").strip(), "title": form.get("title", "").strip(), "enabled": True}
    try:
        chat = await desk.act(put_chat, given=desk.given(NewChat, **values | _distance(form)))
    except Problem as problem:
        return await _shown(desk, wrong=problem.errors[0]["detail"] if problem.errors else str(problem), typed=form)
    desk.toast(desk.gettext("%(chat)s is listed", chat=chat.address))
    return desk.redirect("/broadcasts/chats")


@router.post("/broadcasts/chats/change")
async def save_chat(desk: Asking) -> Response:
    """Change what is said of a chat."""
    form = await desk.form()
    change = desk.given(ChatValues, title=form.get("title", "").strip(), **_distance(form))
    await desk.act(change_chat, address=form.get("address", ""), change=change)
    return desk.redirect("/broadcasts/chats")


@router.post("/broadcasts/chats/on")
async def switch_on(desk: Asking, address: str = "", show: str = "") -> Response:
    """Send to a chat again."""
    return await _switch(desk, address, show, enabled=True)


@router.post("/broadcasts/chats/off")
async def switch_off(desk: Asking, address: str = "", show: str = "") -> Response:
    """Send nothing more to a chat."""
    return await _switch(desk, address, show, enabled=False)


async def _switch(desk: Desk, address: str, show: str, *, enabled: bool) -> Response:
    chat = await desk.act(change_chat, address=address, change=ChatValues(enabled=enabled))
    said = (
        desk.gettext("%(chat)s gets broadcasts again", chat=chat.title or chat.address)
        if enabled
        else desk.gettext("%(chat)s gets no more broadcasts", chat=chat.title or chat.address)
    )
    desk.toast(said)
    return await _shown(desk, show) if desk.by_htmx else desk.redirect("/broadcasts/chats")


async def _shown(
    desk: Desk, show: str = "", cursor: str = "", *, wrong: str = "", typed: dict[str, str] | None = None
) -> Response:
    show = show if show in SHOWN else ""
    page = await desk.read(list_chats, cursor=cursor, **SHOWN[show])
    return desk.page(
        "chats.html",
        "listed",
        status=422 if wrong else 200,
        chats=page.items,
        next=page.next,
        cursor=cursor,
        show=show,
        wrong=wrong,
        typed=typed or {},
    )


def _distance(form: dict[str, str]) -> dict[str, Any]:
    return {"min_messages_between": form.get("min_messages_between", "").strip() or 0}
