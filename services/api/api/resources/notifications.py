"""Notifications: what people were told."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Given, Utc
from api.statements import statement

router = resource("notifications")

Severity = Literal["info", "warning", "error"]


class Notification(Answer):
    """Equal notifications are one, with a count."""

    id: UUID
    kind: str
    severity: Severity
    title: str
    detail: str
    fingerprint: str
    post_id: UUID | None
    count: int
    first_at: Utc
    last_at: Utc
    read_at: Utc | None = Field(description="when somebody marked it as read; what is counted into it later is unread")
    read_by: str | None


class NotificationChange(Given):
    """What is to be different."""

    read: bool


@router.get("")
async def list_notifications(
    page: Paged,
    severity: Severity | None = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
    post_id: UUID | None = None,
    read: bool | None = None,
) -> Page[Notification]:
    """List notifications."""
    return await page.of(Notification, statement("records", "list_notifications"), severity, kind, post_id, read)


@router.get("/{notification_id}")
async def get_notification(notification_id: UUID, call: Calling) -> Notification:
    """Read a notification."""
    return call.tagged(await _notification(call, notification_id))


@router.patch("/{notification_id}")
async def change_notification(notification_id: UUID, change: NotificationChange, call: Calling) -> Notification:
    """Mark a notification as read, for everybody, or as unread."""
    call.changing(await _notification(call, notification_id))
    await call.database.execute(
        statement("notifications", "mark"), notification_id, call.actor if change.read else None
    )
    return await get_notification(notification_id, call)


async def _notification(call: Call, notification_id: UUID) -> Notification:
    row = await call.database.fetchrow(statement("records", "get_notification"), notification_id)
    return found(Notification(**dict(row)) if row else None, "notification")
