"""One webhook, and what it was told."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.settings.form import Form, refused
from api.panel.screens.settings.told import EVENTS
from api.resources.webhooks import (
    WebhookChange,
    change_webhook,
    delete_webhook,
    get_webhook,
    list_deliveries,
    redeliver,
    test_webhook,
)

router = screen()

STATES = ("pending", "delivered", "failed")


@router.get("/settings/webhooks/{webhook_id}")
async def show_webhook(desk: Asking, webhook_id: UUID, status: str = "", cursor: str = "", saved: str = "") -> Response:
    """Show a webhook and its deliveries."""
    said = {
        "saved": desk.gettext("Saved"),
        "sent": desk.gettext("A test message is on its way"),
        "again": desk.gettext("It is sent again"),
    }
    if saved in said:
        desk.toast(said[saved])
    return await _webhook(desk, webhook_id, status=status, cursor=cursor)


@router.post("/settings/webhooks/{webhook_id}")
async def save_webhook(desk: Asking, webhook_id: UUID) -> Response:
    """Change a webhook."""
    given, events = await desk.form(), await desk.chosen("events")
    values: dict[str, Any] = {"url": given.get("url", ""), "description": given.get("description", "")}
    values |= {"events": events, "enabled": "enabled" in given}
    try:
        change = desk.given(WebhookChange, **values)
        await desk.act(change_webhook, webhook_id=webhook_id, change=change, if_match=given.get("etag") or None)
    except Problem as problem:
        return await _webhook(desk, webhook_id, form=refused(desk, values, problem))
    return desk.redirect(f"/settings/webhooks/{webhook_id}?saved=saved")


@router.post("/settings/webhooks/{webhook_id}/test")
async def send_test(desk: Asking, webhook_id: UUID) -> Response:
    """Send a test message."""
    await desk.act(test_webhook, webhook_id=webhook_id)
    return desk.redirect(f"/settings/webhooks/{webhook_id}?saved=sent")


@router.post("/settings/webhooks/{webhook_id}/delete")
async def remove_webhook(desk: Asking, webhook_id: UUID) -> Response:
    """Remove a webhook with its deliveries."""
    await desk.act(delete_webhook, webhook_id=webhook_id)
    return desk.redirect("/settings/notifications?saved=deleted")


@router.post("/settings/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def send_again(desk: Asking, webhook_id: UUID, delivery_id: UUID) -> Response:
    """Send a message again, under the same id."""
    await desk.act(redeliver, webhook_id=webhook_id, delivery_id=delivery_id)
    return desk.redirect(f"/settings/webhooks/{webhook_id}?saved=again")


async def _webhook(
    desk: Desk, webhook_id: UUID, *, status: str = "", cursor: str = "", form: Form | None = None
) -> Response:
    webhook = await desk.read(get_webhook, webhook_id=webhook_id)
    state = status if status in STATES else None
    deliveries = await desk.read(list_deliveries, webhook_id=webhook_id, status=state, cursor=cursor)
    return desk.page(
        "settings_webhook.html",
        status=form.status if form else 200,
        webhook=webhook,
        etag=desk.etag(webhook),
        deliveries=deliveries,
        state=state or "",
        states=STATES,
        form=form or Form(webhook.model_dump()),
        events=EVENTS,
    )
