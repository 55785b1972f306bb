"""The calendar: what goes out when, by a person's own clock, and how it is moved."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from typing import Annotated, Any
from urllib.parse import urlencode
from uuid import UUID

from babel.dates import format_datetime, get_timezone_gmt
from fastapi import Depends, Query
from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.calendar_view import (
    PER_DAY,
    Span,
    View,
    as_view,
    grid,
    in_order,
    lines,
    month,
    named,
    span,
    weekday,
)
from api.resources.calendar import get_calendar
from api.resources.scheduled_posts import (
    NewScheduledPost,
    ScheduledPost,
    ScheduledPostChange,
    cancel_scheduled_post,
    change_scheduled_post,
    create_scheduled_post,
    get_scheduled_post,
    preview_scheduled_post,
    publish_scheduled_post_now,
    retry_scheduled_post,
)
from common.planning.wall_clock import WallTime, wall_time

router = screen()

PAST = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Looking:
    """What of the calendar somebody looks at, as it stands in the address."""

    view: View
    day: date | None  # None: today
    targets: Sequence[str]

    def address(self, path: str = "/calendar", **given: Any) -> str:
        """Return an address that keeps what is looked at, but for what is given."""
        shown = {"view": self.view, "date": self.day, "target": self.targets, **given}
        pairs = [(name, value) for name, value in shown.items() if value not in (None, "", [], ())]
        return f"{path}?{urlencode(pairs, doseq=True)}" if pairs else path

    def toggled(self, target: str) -> str:
        """Return the address with a target more, or less."""
        left = [each for each in self.targets if each != target]
        return self.address(target=left if target in self.targets else [*left, target])


def _looking(
    view: str = "month", date: str = "", target: Annotated[list[str] | None, Query(max_length=50)] = None
) -> Looking:
    return Looking(as_view(view), _day(date), tuple(dict.fromkeys(target or ())))


Look = Annotated[Looking, Depends(_looking)]


@router.get("/calendar")
async def show_calendar(desk: Asking, look: Look) -> Response:
    """Show some days."""
    return await _shown(desk, look)


@router.get("/calendar/posts/{scheduled_id}")
async def show_planned(desk: Asking, scheduled_id: UUID, look: Look) -> Response:
    """Show one post with what can be done about it; for htmx as the inside of a dialog."""
    planned = await desk.read(get_scheduled_post, scheduled_id=scheduled_id)
    try:
        preview = await desk.read(
            preview_scheduled_post,
            **({"content_id": planned.content_id} if planned.content_id else {"post_id": planned.post_id}),
            target=planned.target,
            rewrite_id=planned.rewrite_id,
        )
    except Problem:  # it can't be published as it is: its state says why
        preview = None
    return desk.page(
        "calendar_post.html",
        block="planned",
        planned=planned,
        preview=preview,
        etag=desk.etag(planned),
        look=look,
        local=planned.scheduled_time.astimezone(desk.viewer.zone),
        zone=desk.viewer.zone.key,
        meant=None,
        in_dialog=desk.by_htmx,
    )


@router.get("/calendar/when")
async def show_when(desk: Asking, day: str = "", time: str = "", fold: int = 0) -> Response:
    """Say what is meant by a time that does not exist on a day, or comes twice."""
    given_day, given_clock = _day(day), _clock(time)
    found = wall_time(given_day, given_clock, desk.viewer.zone, fold) if given_day and given_clock else None
    return desk.page("calendar_when.html", block="when", meant=found, clock=time, fold=fold)


@router.post("/calendar/posts/{scheduled_id}/move")
async def move_planned(desk: Asking, scheduled_id: UUID, look: Look) -> Response:
    """Move a post to another day or time: what is not given stays as it is on the clock on the wall."""
    form, zone = await desk.form(), desk.viewer.zone
    planned = await desk.read(get_scheduled_post, scheduled_id=scheduled_id)
    local = planned.scheduled_time.astimezone(zone)
    clock = _clock(form.get("time", ""))
    fold = local.fold if clock is None else int(form.get("fold") == "1")
    meant = wall_time(_day(form.get("day", "")) or local.date(), clock or local.time(), zone, fold)
    if meant.at == planned.scheduled_time:
        return await _shown(desk, look)
    moved = await _moved(desk, look, scheduled_id, meant.at, form.get("etag"))
    if isinstance(moved, ScheduledPost):
        undo = look.address(
            f"/calendar/posts/{scheduled_id}/back", to=planned.scheduled_time.isoformat(), etag=desk.etag(moved)
        )
        _ = desk.gettext
        text = _("Moved to %(when)s", when=_said(desk, meant.at))
        desk.toast(text, detail=_remark(desk, meant, clock or local.time()), undo=undo)
        return await _shown(desk, look)
    return moved


@router.post("/calendar/posts/{scheduled_id}/back")
async def move_back(desk: Asking, scheduled_id: UUID, look: Look, to: datetime, etag: str) -> Response:
    """Undo a move."""
    moved = await _moved(desk, look, scheduled_id, to, etag)
    if isinstance(moved, ScheduledPost):
        desk.toast(desk.gettext("It is back at %(when)s", when=_said(desk, to)))
        return await _shown(desk, look, undone=True)
    return moved


@router.post("/calendar/posts/{scheduled_id}/cancel")
async def call_off(desk: Asking, scheduled_id: UUID, look: Look) -> Response:
    """Call a post off, or put one aside that failed."""
    form = await desk.form()
    _ = desk.gettext
    try:
        cancelled = await desk.act(cancel_scheduled_post, if_match=form.get("etag"), scheduled_id=scheduled_id)
    except Problem as problem:
        return await _refused(desk, look, problem)
    undo = ""
    if cancelled.scheduled_time > datetime.now(UTC):
        undo = look.address(f"/calendar/posts/{scheduled_id}/again")
    desk.toast(_("Called off"), detail=cancelled.target, undo=undo)
    return await _shown(desk, look)


@router.post("/calendar/posts/{scheduled_id}/again")
async def plan_again(desk: Asking, scheduled_id: UUID, look: Look) -> Response:
    """Undo calling a post off: it is planned anew as it was."""
    was = await desk.read(get_scheduled_post, scheduled_id=scheduled_id)
    source = {"content_id": was.content_id} if was.content_id else {"post_id": was.post_id}
    try:
        given = desk.given(
            NewScheduledPost,
            **source,
            target=was.target,
            scheduled_time=was.scheduled_time,
            rewrite_id=was.rewrite_id,
            cut=True,
        )
        await desk.act(create_scheduled_post, given=given)
    except Problem as problem:
        return await _refused(desk, look, problem, undone=True)
    desk.toast(desk.gettext("It is planned again"), detail=was.target)
    return await _shown(desk, look, undone=True)


@router.post("/calendar/posts/{scheduled_id}/publish")
async def publish_now(desk: Asking, scheduled_id: UUID, look: Look) -> Response:
    """Publish now what waits for its time, or once more what failed."""
    form = await desk.form()
    _ = desk.gettext
    planned = await desk.read(get_scheduled_post, scheduled_id=scheduled_id)
    endpoint = publish_scheduled_post_now if planned.status == "scheduled" else retry_scheduled_post
    try:
        await desk.act(endpoint, if_match=form.get("etag"), scheduled_id=scheduled_id)
    except Problem as problem:
        return await _refused(desk, look, problem)
    desk.toast(_("It is being published"), detail=planned.target)
    return await _shown(desk, look)


async def _moved(
    desk: Desk, look: Looking, scheduled_id: UUID, at: datetime, etag: str | None
) -> ScheduledPost | Response:
    """Move a post, or answer why that can't be done, with the calendar as it is."""
    if at < datetime.now(UTC) - PAST:
        passed = desk.gettext("%(when)s has passed", when=_said(desk, at))
        if not desk.by_htmx:
            raise Problem("invalid", passed)
        desk.toast(passed, detail=desk.gettext("nothing was moved"), bad=True)
        return await _shown(desk, look)
    try:
        change = desk.given(ScheduledPostChange, scheduled_time=at)
        return await desk.act(change_scheduled_post, if_match=etag, scheduled_id=scheduled_id, change=change)
    except Problem as problem:
        return await _refused(desk, look, problem)


async def _refused(desk: Desk, look: Looking, problem: Problem, *, undone: bool = False) -> Response:
    """Say why not, and show what is there now. Raises the problem where there is nothing to go on with."""
    if not desk.by_htmx or problem.status not in (409, 412, 422):
        raise problem
    _ = desk.gettext
    if problem.status == 412:
        desk.toast(_("Somebody has changed it meanwhile"), detail=_("this is how it is now"), bad=True)
    else:
        desk.toast(problem.title, detail=str(problem), bad=True)
    return await _shown(desk, look, undone=undone)


async def _shown(desk: Desk, look: Looking, *, undone: bool = False) -> Response:
    if desk.request.method == "POST" and not desk.by_htmx:
        return desk.redirect(look.address())
    zone, now = desk.viewer.zone, datetime.now(UTC)
    today = now.astimezone(zone).date()
    days = span(look.view, look.day or today)
    found = await desk.read(
        get_calendar,
        since=days.first,
        until=days.until,
        timezone=zone.key,
        target=list(look.targets) or None,
        per_day=PER_DAY[look.view],
    )
    return desk.page(
        "calendar.html",
        block="undone" if undone else "calendar",
        look=look,
        span=days,
        title=named(days, desk.viewer.language),
        calendar=found,
        today=today,
        now=now,
        now_there=now.astimezone(zone),
        zone=zone.key,
        offset=get_timezone_gmt(now.astimezone(zone), locale="en").replace("GMT", "UTC"),
        undone=undone,
        weekday=partial(weekday, desk.viewer.language),
        month=partial(month, desk.viewer.language),
        **_drawn(desk, days, found.days),
    )


def _drawn(desk: Desk, days: Span, found: Sequence[Any]) -> dict[str, Any]:
    if days.view in ("week", "day"):
        rows, columns = grid(found, desk.viewer)
        return {"rows": rows, "columns": columns}
    if days.view == "list":
        return {"listed": [(day, in_order(day)) for day in found]}
    return {"cells": [(day, *lines(day)) for day in found]}


def _remark(desk: Desk, meant: WallTime, clock: time) -> str:
    """Say what became of a time that a day does not have, or has twice."""
    _ = desk.gettext
    match meant.shown:
        case "never":
            return _("there is no %(time)s on that day: the clocks go forward", time=f"{clock:%H:%M}")
        case "twice":
            zone = meant.at.astimezone(desk.viewer.zone).tzname()
            return _("%(time)s comes twice on that day; this is %(zone)s", time=f"{clock:%H:%M}", zone=zone)
        case _:
            return ""


def _said(desk: Desk, at: datetime) -> str:
    return format_datetime(at.astimezone(desk.viewer.zone), "EEE d MMMM, HH:mm", locale=desk.viewer.language)


def _day(given: str) -> date | None:
    try:
        return date.fromisoformat(given)
    except ValueError:
        return None


def _clock(given: str) -> time | None:
    try:
        return time.fromisoformat(given).replace(tzinfo=None) if given else None
    except ValueError:
        return None
