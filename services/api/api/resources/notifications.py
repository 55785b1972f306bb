"""Notifications: what people were told."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query

from api.http.calls import Calling, found
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Utc
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


@router.get("")
async def list_notifications(
    page: Paged,
    severity: Severity | None = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
    post_id: UUID | None = None,
) -> Page[Notification]:
    """List notifications."""
    return await page.of(Notification, statement("records", "list_notifications"), severity, kind, post_id)


@router.get("/{notification_id}")
async def get_notification(notification_id: UUID, call: Calling) -> Notification:
    """Read a notification."""
    row = await call.database.fetchrow(statement("records", "get_notification"), notification_id)
    return call.tagged(found(Notification(**dict(row)) if row else None, "notification"))
