"""The Overview: what needs a person, where the posts are, how the parts do. And the stream that all pages have."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import Form, Header
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from api.panel.desk import Asking
from api.panel.overview import overview
from api.panel.routes import Panel, screen
from api.resources.overview import get_overview
from api.resources.queues import NewPause, pause_queue, resume_queue

router = screen()
STREAMED = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


@router.get("/")
async def show_overview(desk: Asking) -> Response:
    """Show how everything stands."""
    return desk.page("overview.html", "live", **overview(await desk.read(get_overview)), live_region="overview")


@router.post("/overview/queues/{queue}/pause")
async def pause(desk: Asking, queue: str, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Let a queue stand still."""
    await desk.act(pause_queue, queue=queue, given=NewPause(reason=reason))
    return await _again(desk)


@router.post("/overview/queues/{queue}/resume")
async def resume(desk: Asking, queue: str) -> Response:
    """Let a queue go on."""
    await desk.act(resume_queue, queue=queue)
    return await _again(desk)


async def _again(desk: Asking) -> Response:
    return await show_overview(desk) if desk.by_htmx else desk.redirect("/")


@router.get("/live")
async def follow(
    request: Request,
    desk: Asking,
    region: str = "",
    since: int = 0,
    last_event_id: Annotated[str, Header()] = "",
) -> Response:
    """Tell an open page what happens, as server-sent events."""
    panel: Panel = request.app.state.panel
    session = desk.viewer.session

    async def allowed() -> bool:
        return (await panel.identify(request)).session == session

    known = int(last_event_id) if last_event_id.isascii() and last_event_id.isdecimal() else 0
    told: AsyncIterator[bytes] = panel.live.stream(desk.viewer, region, max(since, known), allowed)
    return StreamingResponse(told, media_type="text/event-stream", headers=STREAMED)
