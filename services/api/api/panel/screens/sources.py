"""Sources: where posts come from, how that goes, and adding one with a look at what is there."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.sources_words import FEED_DEFAULT, Row, SourceWords
from api.resources.posts import list_posts
from api.resources.routes import list_routes
from api.resources.source_activity import list_activity, list_runs
from api.resources.source_checks import NewCheck, check_source, get_source_check
from api.resources.sources import (
    NewSource,
    SourceChange,
    change_source,
    collect_source,
    create_source,
    delete_source,
    get_source,
    list_sources,
)

router = screen()

SHOWN = {"": {}, "well": {"failing": False, "enabled": True}, "failing": {"failing": True, "enabled": True},
         "paused": {"enabled": False}}  # fmt: skip
RUNS, POSTS = 20, 5
SHORTEST_NAME = 5  # https://core.telegram.org/method/account.checkUsername


@router.get("/sources")
async def show_sources(desk: Asking, show: str = "", q: str = "", cursor: str = "") -> Response:
    """List the sources."""
    filters: dict[str, Any] = dict(SHOWN.get(show, {}))
    page = await desk.read(list_sources, q=q.strip()[:200] or None, cursor=cursor, **filters)
    ids = [source.id for source in page.items]
    found = await desk.read(list_activity, source_id=ids) if ids else None
    activity = {each.source_id: each for each in found.items} if found else {}
    rows = [Row(source, activity.get(source.id)) for source in page.items]
    return desk.page(
        "sources.html", "listed", rows=rows, next=page.next, show=show, q=q, cursor=cursor, words=_words(desk)
    )


@router.get("/sources/add")
async def write_source(desk: Asking, address: str = "") -> Response:
    """Show where an address is pasted."""
    desk.need("write")
    return _adding(desk, address=address)


@router.post("/sources/check")
async def check(desk: Asking) -> Response:
    """Look at an address that is being pasted."""
    form = await desk.form()
    address = form.get("address", "").strip()
    if not address or (desk.by_htmx and "look" not in form and _begun(address)):
        return _adding(desk, address=address)
    try:
        given = desk.given(NewCheck, address=address, allow_private=bool(form.get("allow_private")))
        asked = await desk.act(check_source, given=given)
    except Problem as problem:
        return _adding(desk, address=address, wrong=_first(problem))
    return _adding(desk, address=address, check=asked)


@router.get("/sources/checks/{check_id}")
async def show_check(desk: Asking, check_id: UUID, own: str = "") -> Response:
    """Show what a look has found so far; `own`: at a source that is there."""
    found = await desk.read(get_source_check, check_id=check_id)
    return _adding(desk, address=found.address, check=found, own=bool(own))


@router.post("/sources")
async def add_source(desk: Asking) -> Response:
    """Add a source; it is read at once."""
    form = await desk.form()
    try:
        given = desk.given(
            NewSource,
            kind=form.get("kind"),
            address=form.get("address", ""),
            title=form.get("title", ""),
            schedule=_schedule(form),
            allow_private=bool(form.get("allow_private")),
        )
        source = await desk.act(create_source, given=given)
    except Problem as problem:
        return _adding(desk, address=form.get("address", ""), wrong=_first(problem))
    return desk.redirect(f"/sources/{source.id}")


@router.get("/sources/{source_id}")
async def show_source(desk: Asking, source_id: UUID, cursor: str = "") -> Response:
    """Show a source: how it was read, what it brought, where that goes."""
    return await _source(desk, source_id, cursor)


@router.post("/sources/{source_id}")
async def save_source(desk: Asking, source_id: UUID) -> Response:
    """Change a source."""
    form = await desk.form()
    values: dict[str, Any] = {"title": form.get("title", ""), "schedule": _schedule(form)}
    if desk.may("admin") and "feed" in form:
        values["allow_private"] = bool(form.get("allow_private"))
    try:
        await desk.act(change_source, source_id=source_id, change=desk.given(SourceChange, **values))
    except Problem as problem:
        return await _source(desk, source_id, wrong=_first(problem), typed=form)
    return desk.redirect(f"/sources/{source_id}")


@router.post("/sources/{source_id}/collect")
async def collect(desk: Asking, source_id: UUID) -> Response:
    """Read a source now."""
    await desk.act(collect_source, source_id=source_id)
    desk.toast(desk.gettext("It is being read"))
    return await _source(desk, source_id) if desk.by_htmx else desk.redirect(f"/sources/{source_id}")


@router.post("/sources/{source_id}/check")
async def check_again(desk: Asking, source_id: UUID) -> Response:
    """Look at what is there now."""
    source = await desk.read(get_source, source_id=source_id)
    allow_private = source.allow_private and desk.may("admin")
    given = desk.given(NewCheck, address=source.address, allow_private=allow_private)
    return _adding(desk, address=source.address, check=await desk.act(check_source, given=given), own=True)


@router.post("/sources/{source_id}/pause")
async def pause(desk: Asking, source_id: UUID) -> Response:
    """Read a source no more until it is resumed."""
    return await _switch(desk, source_id, enabled=False)


@router.post("/sources/{source_id}/resume")
async def resume(desk: Asking, source_id: UUID) -> Response:
    """Let a source be read again."""
    return await _switch(desk, source_id, enabled=True)


@router.post("/sources/{source_id}/delete")
async def delete(desk: Asking, source_id: UUID) -> Response:
    """Remove a source that brought nothing."""
    await desk.act(delete_source, source_id=source_id)
    return desk.redirect("/sources")


async def _switch(desk: Desk, source_id: UUID, *, enabled: bool) -> Response:
    await desk.act(change_source, source_id=source_id, change=SourceChange(enabled=enabled))
    undo = f"/sources/{source_id}/{'pause' if enabled else 'resume'}"
    desk.toast(desk.gettext("It is read again") if enabled else desk.gettext("It is not read any more"), undo=undo)
    return await _source(desk, source_id) if desk.by_htmx else desk.redirect(f"/sources/{source_id}")


async def _source(
    desk: Desk, source_id: UUID, cursor: str = "", *, wrong: str = "", typed: Mapping[str, str] | None = None
) -> Response:
    source = await desk.read(get_source, source_id=source_id)
    runs = await desk.read(list_runs, source_id=source_id, limit=RUNS, cursor=cursor)
    activity = await desk.read(list_activity, source_id=[source_id])
    own = await desk.read(list_routes, source_id=source_id, limit=200)
    every = await desk.read(list_routes, limit=200, enabled=True)
    posts = await desk.read(list_posts, source_id=source_id, limit=POSTS)
    return desk.page(
        "source.html",
        "source",
        status=422 if wrong else 200,
        row=Row(source, activity.items[0] if activity.items else None),
        source=source,
        etag=desk.etag(source),
        runs=runs,
        cursor=cursor,
        routes=[*own.items, *(route for route in every.items if route.source_id is None and source.kind != "canary")],
        own_routes=len(own.items),
        posts=posts.items,
        wrong=wrong,
        typed=typed or {},
        words=_words(desk),
    )


def _adding(desk: Desk, **values: Any) -> Response:
    values = {"address": "", "check": None, "wrong": "", "own": False, **values}
    default = FEED_DEFAULT if values["check"] and values["check"].kind == "feed" else ""
    return desk.page("source_add.html", "checked", default=default, words=_words(desk), **values)


def _begun(address: str) -> bool:
    """Whether an address is hardly begun: Telegram allows few questions, so names are not asked for by the letter."""
    if "://" in address:
        try:
            host = urlsplit(address).hostname or ""
        except ValueError:
            return True
        return "." not in host.strip(".") and host != "localhost"
    return len(address.removeprefix("@")) < SHORTEST_NAME


def _schedule(form: Mapping[str, str]) -> str | None:
    chosen = form.get("schedule", "")
    return (form.get("own_schedule", "").strip() if chosen == "own" else chosen) or None


def _words(desk: Desk) -> SourceWords:
    return SourceWords(desk.viewer)


def _first(problem: Problem) -> str:
    return problem.errors[0]["detail"] if problem.errors else str(problem)
