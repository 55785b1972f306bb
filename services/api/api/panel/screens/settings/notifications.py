"""Who is told of what: webhooks and e-mail."""

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.settings.form import Form, refused
from api.panel.screens.settings.told import EVENTS
from api.resources.notification_tests import test_notifications
from api.resources.settings import list_settings
from api.resources.webhooks import CreatedWebhook, NewWebhook, create_webhook, list_webhooks

router = screen()

FIRST = {"events": ["notification.error", "alert.firing", "alert.resolved"]}
EMAIL = ("SMTP_", "NOTIFY_EMAIL", "NOTIFY_MIN")


@router.get("/settings/notifications")
async def show_notifications(desk: Asking, cursor: str = "", saved: str = "") -> Response:
    """Show who is told."""
    if saved == "sent":
        desk.toast(desk.gettext("A test message is on its way, as an error"))
    elif saved == "deleted":
        desk.toast(desk.gettext("The webhook is deleted"))
    return await _notifications(desk, cursor=cursor)


@router.post("/settings/notifications/test")
async def send_test(desk: Asking) -> Response:
    """Tell everybody that this is a test."""
    await desk.act(test_notifications)
    return desk.redirect("/settings/notifications?saved=sent")


@router.post("/settings/notifications")
async def add_webhook(desk: Asking) -> Response:
    """Add a webhook; its secret is on the page, this once."""
    given, events = await desk.form(), await desk.chosen("events")
    try:
        values = {"url": given.get("url", ""), "description": given.get("description", ""), "events": events}
        made = await desk.act(create_webhook, given=desk.given(NewWebhook, **values))
    except Problem as problem:
        return await _notifications(desk, form=refused(desk, given | {"events": events}, problem))
    return await _notifications(desk, made=made)


async def _notifications(
    desk: Desk, *, cursor: str = "", form: Form | None = None, made: CreatedWebhook | None = None
) -> Response:
    webhooks = await desk.read(list_webhooks, cursor=cursor)
    settings = (await desk.read(list_settings)).items
    return desk.page(
        "settings_notifications.html",
        status=form.status if form else 200,
        webhooks=webhooks,
        email=[each for each in settings if each.name.startswith(EMAIL)],
        by_email=any(each.name == "SMTP_HOST" and each.value for each in settings),
        form=form or Form(FIRST),
        made=made,
        events=EVENTS,
    )
