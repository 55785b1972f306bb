"""Logs: what services say at this moment, and what they said."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.values import Given
from api.panel.desk import Asking, Desk
from api.panel.operating import Look
from api.panel.routes import screen
from api.resources.logs import export_logs, list_logs, tail_logs
from common.contracts import topology
from common.logs import LEVELS, Level, LogFilter

router = screen()

NAMES = ("service", "level", "post_id", "job_id", "trace_id", "text", "since", "until", "cursor", "search")
SHOWN = 200  # of a live tail when the page opens
PAGE = 100


class Wanted(Given):
    """What of the logs somebody looks at."""

    service: str | None
    level: Level | None
    post_id: UUID | None
    job_id: str | None
    trace_id: str | None
    text: str | None
    since: datetime | None
    until: datetime | None


@router.get("/logs")
async def show_logs(desk: Asking) -> Response:
    """Show what is said, live; or what was said, a page at a time, where one searches."""
    look, wanted = _look(desk)
    values: dict[str, Any] = {
        "look": look,
        "today": _today(desk),
        "services": sorted({durable.service for durable in topology().durables()}),
        "levels": LEVELS,
    }
    if look["search"] or look["since"] or look["until"] or look["cursor"]:
        page = await desk.read(list_logs, wanted=wanted, limit=PAGE, cursor=look["cursor"])
        return desk.page("logs.html", "logs", records=page.items, following=page.next, live=False, last=0, **values)
    tail = await desk.read(tail_logs, wanted=wanted, limit=SHOWN)
    return desk.page("logs.html", "logs", records=tail.items, following=None, live=True, last=tail.last_id, **values)


@router.get("/logs/tail")
async def show_tail(desk: Asking, after: int = 0) -> Response:
    """Show what arrived after a record."""
    _, wanted = _look(desk)
    tail = await desk.read(tail_logs, wanted=wanted, after=max(0, after), limit=1000)
    answer = desk.page("logs_lines.html", "lines", records=tail.items, today=_today(desk))
    answer.headers["X-Last"] = str(tail.last_id)
    return answer


@router.get("/logs/download")
async def download(desk: Asking) -> Response:
    """Download what matches."""
    _, wanted = _look(desk)
    return await desk.read(export_logs, wanted=wanted)


def _today(desk: Desk) -> date:
    return datetime.now(desk.viewer.zone).date()


def _look(desk: Desk) -> tuple[Look, LogFilter]:
    look = Look.of(desk, "/logs", NAMES)
    wanted = desk.given(
        Wanted,
        since=look.moment(desk, "since"),
        until=look.moment(desk, "until"),
        **{name: look[name] or None for name in NAMES[:6]},
    )
    return look, LogFilter(**dict(wanted))
