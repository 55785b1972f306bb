"""Webhooks: who is told of events over HTTP."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field, StringConstraints

from api.http.calls import Call, Calling, found
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Change, Given, Line, Utc, merged
from api.statements import statement
from api.webhooks.address import refuse
from api.webhooks.events import Told, told
from api.webhooks.signing import new_secret

router = resource("webhooks", read="admin", write="admin")

Url = Annotated[str, StringConstraints(min_length=1, max_length=2000, strip_whitespace=True)]
Events = Annotated[list[Told], Field(min_length=1, max_length=20)]
DeliveryStatus = Literal["pending", "delivered", "failed"]


class NewWebhook(Given):
    """A webhook."""

    url: Url = Field(description="https, or http")
    description: Line = ""
    events: Events
    enabled: bool = True


class WebhookChange(Change):
    """What is to be different."""

    url: Url = ""
    description: Line = ""
    events: Events = Field(default=[])
    enabled: bool = True


class Webhook(Answer):
    """A webhook."""

    id: UUID
    url: str
    description: str
    events: list[str]
    enabled: bool
    disabled_reason: str | None = Field(description="why it was switched off by itself")
    created_at: Utc


class CreatedWebhook(Webhook):
    """A webhook with its secret, which is shown this once."""

    secret: str = Field(description="verifies signatures, see https://www.standardwebhooks.com")


class Delivery(Answer):
    """One message to a webhook. Its id is the `webhook-id` of every attempt."""

    id: UUID
    webhook_id: UUID
    event: str
    event_id: str
    body: str
    status: DeliveryStatus
    attempts: int
    due_at: Utc
    last_status: int | None = Field(description="of HTTP")
    last_error: str | None
    created_at: Utc
    finished_at: Utc | None


@router.get("")
async def list_webhooks(page: Paged) -> Page[Webhook]:
    """List webhooks."""
    return await page.of(Webhook, statement("webhooks", "list_webhooks"))


@router.post("", status_code=201)
async def create_webhook(given: NewWebhook, call: Calling) -> CreatedWebhook:
    """Add a webhook. The answer has the secret, this once."""
    _check(call, given.url)
    secret = new_secret()
    values = given.url, given.description, given.events, given.enabled
    row = await call.database.fetchrow(statement("webhooks", "add_webhook"), *values, secret)
    assert row
    call.created(row["id"])
    return CreatedWebhook(**dict(row))


@router.get("/{webhook_id}")
async def get_webhook(webhook_id: UUID, call: Calling) -> Webhook:
    """Read a webhook."""
    return call.tagged(await _webhook(call, webhook_id))


@router.patch("/{webhook_id}")
async def change_webhook(webhook_id: UUID, change: WebhookChange, call: Calling) -> Webhook:
    """Change a webhook: what is left out stays."""
    await call.alone_with("webhook", webhook_id)
    current = await _webhook(call, webhook_id)
    call.changing(current)
    new = merged(NewWebhook, current, change)
    _check(call, new.url)
    values = new.url, new.description, new.events, new.enabled
    await call.database.execute(statement("webhooks", "change_webhook"), webhook_id, *values)
    return await get_webhook(webhook_id, call)


@router.delete("/{webhook_id}", status_code=204)
async def delete_webhook(webhook_id: UUID, call: Calling) -> None:
    """Remove a webhook with its deliveries."""
    await call.alone_with("webhook", webhook_id)
    call.changing(await _webhook(call, webhook_id))
    await call.database.execute(statement("webhooks", "remove_webhook"), webhook_id)


@router.post("/{webhook_id}/test", status_code=202)
async def test_webhook(webhook_id: UUID, call: Calling) -> Delivery:
    """Send a test message, also where the webhook is switched off."""
    await _webhook(call, webhook_id)
    body = told("webhook.test", {"message": "This is a test."})
    row = await call.database.fetchrow(statement("webhooks", "add_test"), webhook_id, body)
    assert row
    return Delivery(**dict(row))


@router.get("/{webhook_id}/deliveries")
async def list_deliveries(
    webhook_id: UUID, page: Paged, call: Calling, status: DeliveryStatus | None = None
) -> Page[Delivery]:
    """List what a webhook was told in the last 30 days."""
    await _webhook(call, webhook_id)
    return await page.of(Delivery, statement("webhooks", "list_deliveries"), webhook_id, status)


@router.post("/{webhook_id}/deliveries/{delivery_id}/redeliver", status_code=202)
async def redeliver(webhook_id: UUID, delivery_id: UUID, call: Calling) -> Delivery:
    """Send a message again, under the same id."""
    row = await call.database.fetchrow(statement("webhooks", "redeliver"), webhook_id, delivery_id)
    return found(Delivery(**dict(row)) if row else None, "delivery")


def _check(call: Call, url: str) -> None:
    if problem := refuse(url, allow_private=call.system.allow_private_webhooks):
        raise Problem("invalid", problem, errors=[{"in": "body", "pointer": "/url", "detail": problem}])


async def _webhook(call: Call, webhook_id: UUID) -> Webhook:
    row = await call.database.fetchrow(statement("webhooks", "get_webhook"), webhook_id)
    return found(Webhook(**dict(row)) if row else None, "webhook")
