"""Alerts: what is wrong now, or was; seen by somebody, or by nobody yet."""

from uuid import UUID

from starlette.responses import Response

from api.panel.desk import Asking, Desk
from api.panel.operating import around, queue_of
from api.panel.routes import screen
from api.resources.alerts import acknowledge_alert, list_alerts

router = screen()


@router.get("/alerts")
async def show_alerts(desk: Asking, status: str = "firing", cursor: str = "") -> Response:
    """Show what fires, or what is over."""
    return await _alerts(desk, "resolved" if status == "resolved" else "firing", cursor)


@router.post("/alerts/{alert_id}/acknowledge")
async def acknowledge(desk: Asking, alert_id: UUID) -> Response:
    """Say that one was seen."""
    await desk.act(acknowledge_alert, alert_id=alert_id)
    return await _alerts(desk, "firing", "") if desk.by_htmx else desk.redirect("/alerts")


async def _alerts(desk: Desk, status: str, cursor: str) -> Response:
    page = await desk.read(list_alerts, status=status, cursor=cursor)
    about = {alert.id: queue_of(alert) for alert in page.items}
    return desk.page(
        "alerts.html", "alerts", shown=status, page=page, about=about, path="/queues", **await around(desk)
    )
