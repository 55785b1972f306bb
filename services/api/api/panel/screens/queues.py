"""Queues: how they stand, paused and resumed where they are shown, with settings that are changed in place."""

from datetime import datetime, time, timedelta
from typing import Any

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.operating import around, local_moment
from api.panel.routes import screen
from api.resources.queues import (
    NewPause,
    Queue,
    SettingsChange,
    change_queue_settings,
    get_queue,
    list_queues,
    pause_queue,
    resume_queue,
)

router = screen()

HOURS = {"15m": timedelta(minutes=15), "1h": timedelta(hours=1), "4h": timedelta(hours=4)}
MORNING = time(9)


@router.get("/queues")
async def show_queues(desk: Asking) -> Response:
    """Show how all queues stand."""
    found = await desk.read(list_queues)
    return desk.page("queues.html", "queues", queues=found.items, live_region="queues", **await around(desk))


@router.get("/queues/{queue}")
async def show_queue(desk: Asking, queue: str) -> Response:
    """Show a queue with its settings, durables and replicas."""
    return await _queue(desk, await desk.read(get_queue, queue=queue))


@router.post("/queues/{queue}/pause")
async def pause(desk: Asking, queue: str) -> Response:
    """Let a queue stand still."""
    form = await desk.form()
    until = _until(desk, form.get("until", ""), form.get("at", ""))
    given = desk.given(NewPause, reason=form.get("reason", ""), until=until)
    found = await desk.act(pause_queue, queue=queue, given=given)
    return await _decided(desk, found, form, _after_pause(desk, found))


@router.post("/queues/{queue}/resume")
async def resume(desk: Asking, queue: str) -> Response:
    """Let a queue go on."""
    found = await desk.act(resume_queue, queue=queue)
    return await _decided(desk, found, await desk.form(), desk.gettext("%(queue)s goes on", queue=queue))


@router.post("/queues/{queue}/settings")
async def change(desk: Asking, queue: str) -> Response:
    """Change what differs from what the form began with; `reset` takes the change of one setting back."""
    form = await desk.form()
    if "reset" in form:
        given: dict[str, Any] = {form["reset"]: None}
    else:
        given = {
            name: value.strip()
            for name, value in form.items()
            if f"was.{name}" in form and value.strip() != form[f"was.{name}"]
        }
    if not given:
        return desk.redirect(f"/queues/{queue}")
    try:
        values = desk.given(SettingsChange, reason=form.get("reason", ""), **given)
        found = await desk.act(change_queue_settings, queue=queue, change=values)
    except Problem as problem:
        if problem.kind != "invalid":
            raise
        wrong = {error["pointer"].removeprefix("/"): error["detail"] for error in problem.errors if "pointer" in error}
        return await _queue(desk, await desk.read(get_queue, queue=queue), wrong=wrong, given=form, status=422)
    if not desk.by_htmx:
        return desk.redirect(f"/queues/{queue}")
    desk.toast(desk.gettext("%(queue)s works by it from now on", queue=queue), detail=_late(desk, found))
    return await _queue(desk, found)


async def _queue(desk: Desk, queue: Queue, *, status: int = 200, **values: Any) -> Response:
    values = {"wrong": {}, "given": {}, **values}
    return desk.page("queue.html", "queue", queue=queue, path="/queues", status=status, **values, **await around(desk))


async def _decided(desk: Desk, queue: Queue, form: dict[str, str], said: str) -> Response:
    """Show again what the form is on: the list, or the queue itself."""
    alone = form.get("on") == "queue"
    if not desk.by_htmx:
        return desk.redirect(f"/queues/{queue.queue}" if alone else "/queues")
    desk.toast(said, detail=_late(desk, queue), undo=_undo(queue))
    return await _queue(desk, queue) if alone else await show_queues(desk)


def _after_pause(desk: Desk, queue: Queue) -> str:
    return desk.gettext("%(queue)s stands still; what runs may finish", queue=queue.queue)


def _undo(queue: Queue) -> str:
    return f"/queues/{queue.queue}/resume" if queue.pause else ""


def _late(desk: Desk, queue: Queue) -> str:
    if not queue.not_following:
        return ""
    names = sorted({each.service for each in queue.not_following})
    return desk.gettext("%(services)s: not every replica follows yet", services=", ".join(names))


def _until(desk: Desk, choice: str, at: str) -> datetime | None:
    """Return when a pause ends by itself."""
    now = datetime.now(desk.viewer.zone)
    if choice in HOURS:
        return now + HOURS[choice]
    if choice == "morning":
        return datetime.combine(now.date() + timedelta(days=1), MORNING, desk.viewer.zone)
    return local_moment(desk, at) if choice == "at" else None
