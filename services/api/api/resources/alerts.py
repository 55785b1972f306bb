"""Alerts: what is wrong, or was."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from pydantic import Field

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.statements import statement
from common.alerts import Alerts, Status

router = resource("alerts")


class Alert(Answer):
    """Something that is wrong, or was. Of one thing (`fingerprint`) one alert fires at a time."""

    id: UUID
    fingerprint: str
    kind: str
    severity: Literal["warning", "error"]
    title: str
    detail: str
    count: int = Field(description="since it began")
    status: Status
    since: Utc
    last_at: Utc = Field(description="when it was found last")
    resolved_at: Utc | None
    acknowledged_by: str | None
    acknowledged_at: Utc | None
    notification_id: UUID


@router.get("")
async def list_alerts(
    page: Paged,
    status: Status | None = None,
    kind: Annotated[str | None, Query(max_length=200)] = None,
) -> Page[Alert]:
    """List alerts, newest first."""
    return await page.of(Alert, statement("alerts", "list_alerts"), status, kind)


@router.get("/{alert_id}")
async def get_alert(alert_id: UUID, call: Calling) -> Alert:
    """Read an alert."""
    return call.tagged(await _alert(call, alert_id))


@router.post("/{alert_id}/acknowledge")
async def acknowledge_alert(alert_id: UUID, call: Calling) -> Alert:
    """Say that you have seen an alert. It fires on, and is over when it is over."""
    call.before = await _alert(call, alert_id)
    await Alerts(call.database).acknowledge(alert_id, call.actor)
    return await get_alert(alert_id, call)


async def _alert(call: Call, alert_id: UUID) -> Alert:
    return Alert.model_validate(await Alerts(call.database).get(alert_id), from_attributes=True)
