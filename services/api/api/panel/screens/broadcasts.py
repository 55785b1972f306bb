"""Broadcasts: one post, or a text, on its way to many chats."""

from datetime import datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.resources.broadcasts import (
    NewBroadcast,
    cancel_broadcast,
    get_broadcast,
    list_broadcast_chats,
    list_broadcasts,
    pause_broadcast,
    request_broadcast,
    resume_broadcast,
)
from api.resources.chats import list_chats
from api.resources.posts import get_post, list_posts

router = screen()

STATUSES = ("pending", "processing", "done", "failed", "cancelled")
STATES = ("sent", "sending", "waiting", "retry", "skipped", "refused", "unknown")  # of chats, as a bar shows them
MOST, LATEST = 200, 12


@router.get("/broadcasts")
async def show_broadcasts(desk: Asking, status: str = "", cursor: str = "") -> Response:
    """List the broadcasts."""
    wanted: Any = status if status in STATUSES else None
    page = await desk.read(list_broadcasts, status=wanted, cursor=cursor)
    return desk.page(
        "broadcasts.html", "listed", broadcasts=page.items, next=page.next, cursor=cursor, shown=wanted or ""
    )


@router.get("/broadcasts/new")
async def write_broadcast(desk: Asking, post_id: UUID | None = None) -> Response:
    """Show the form of a new broadcast, of a post or a text."""
    desk.need("write")
    return await _form(desk, {"post_id": str(post_id or "")})


@router.post("/broadcasts")
async def start(desk: Asking) -> Response:
    """Ask for a broadcast."""
    form = await desk.form()
    chats = [*await desk.chosen("chats"), *form.get("more_chats", "").replace(",", " ").split()]
    of_text = form.get("what") == "text"
    values = {
        "post_id": None if of_text else form.get("post_id") or None,
        "text": form.get("text", "").strip() or None if of_text else None,
        "target_chat_ids": list(dict.fromkeys(chats)),
        "forward": "forward" in form and not of_text,
        "not_before": _later(desk, form.get("not_before", "")),
    }
    if not chats:  # to the API that would mean the chats that the worker has by itself
        return await _form(desk, form, chosen=chats, wrong=desk.gettext("choose one chat at least"))
    try:
        given = desk.given(NewBroadcast, **values)
        if "sure" not in form:
            return await _form(desk, form, chosen=chats, asked=given)
        asked = await desk.act(request_broadcast, given=given)
    except Problem as problem:
        wrong = problem.errors[0]["detail"] if problem.errors else str(problem)
        return await _form(desk, form, chosen=chats, wrong=wrong)
    return desk.redirect(f"/broadcasts/{asked.id}?asked=1")


@router.get("/broadcasts/{broadcast_id}")
async def show_broadcast(
    desk: Asking, broadcast_id: UUID, state: str = "", cursor: str = "", asked: str = ""
) -> Response:
    """Show a broadcast with its chats; or that it is awaited, where it was `asked` for this moment."""
    try:
        return await _broadcast(desk, broadcast_id, state, cursor)
    except Problem as problem:
        if asked and problem.kind == "not-found":
            return desk.page("broadcast_soon.html", "soon", broadcast_id=broadcast_id)
        raise


@router.post("/broadcasts/{broadcast_id}/pause")
async def pause(desk: Asking, broadcast_id: UUID) -> Response:
    """Let a broadcast stand still after the chat that is under way."""
    await desk.act(pause_broadcast, broadcast_id=broadcast_id)
    desk.toast(desk.gettext("The broadcast stands still"), undo=f"/broadcasts/{broadcast_id}/resume")
    return await _after(desk, broadcast_id)


@router.post("/broadcasts/{broadcast_id}/resume")
async def resume(desk: Asking, broadcast_id: UUID) -> Response:
    """Let a broadcast go on."""
    await desk.act(resume_broadcast, broadcast_id=broadcast_id)
    return await _after(desk, broadcast_id)


@router.post("/broadcasts/{broadcast_id}/cancel")
async def cancel(desk: Asking, broadcast_id: UUID) -> Response:
    """End a broadcast."""
    await desk.act(cancel_broadcast, broadcast_id=broadcast_id)
    desk.toast(desk.gettext("The broadcast is called off"))
    return await _after(desk, broadcast_id)


async def _after(desk: Desk, broadcast_id: UUID) -> Response:
    if not desk.by_htmx:
        return desk.redirect(f"/broadcasts/{broadcast_id}")
    if desk.request.headers.get("hx-target", "").endswith("#listed"):
        return await show_broadcasts(desk)
    return await _broadcast(desk, broadcast_id)


async def _broadcast(desk: Desk, broadcast_id: UUID, state: str = "", cursor: str = "") -> Response:
    broadcast = await desk.read(get_broadcast, broadcast_id=broadcast_id)
    wanted: Any = state if state in STATES else None
    chats = await desk.read(list_broadcast_chats, broadcast_id=broadcast_id, state=wanted, cursor=cursor)
    return desk.page(
        "broadcast.html",
        "broadcast",
        broadcast=broadcast,
        chats=chats.items,
        next=chats.next,
        cursor=cursor,
        state=wanted or "",
        order=STATES,
    )


async def _form(
    desk: Desk,
    form: dict[str, str],
    *,
    chosen: list[str] | None = None,
    wrong: str = "",
    asked: NewBroadcast | None = None,
) -> Response:
    published = (await desk.read(list_posts, state="published", limit=LATEST)).items
    post_id = form.get("post_id", "")
    post = None
    if post_id and all(str(each.id) != post_id for each in published):
        post = await desk.read(get_post, post_id=UUID(post_id))
    chats = (await desk.read(list_chats, limit=MOST)).items
    ready = [chat for chat in chats if chat.enabled and not chat.flag]
    return desk.page(
        "broadcast_form.html",
        status=422 if wrong else 200,
        form=form,
        post=post,
        published=published,
        chats=ready,
        left_out=len(chats) - len(ready),
        chosen=[chat.address for chat in ready] if chosen is None else chosen,
        wrong=wrong,
        asked=asked,
    )


def _later(desk: Desk, typed: str) -> datetime | None:
    """Return a time as it was typed, in the person's zone."""
    try:
        moment = datetime.fromisoformat(typed).replace(tzinfo=desk.viewer.zone) if typed else None
    except ValueError:
        return None
    return moment
