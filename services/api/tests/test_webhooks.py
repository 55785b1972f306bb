"""Webhooks: signed, repeated until somebody takes them, and never sent where they must not go."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

import pytest
import uvicorn
from nats.aio.client import Client
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from common.events import ContentCreated, Event, NotifyRequested, PublishResult, TargetResult, emitted
from common.service.health import EmbeddedServer
from common.testing.waiting import eventually

from .conftest import Api

PRIVATE = {"WEBHOOK_ALLOW_PRIVATE": "true", "WEBHOOK_RETRY_SECONDS": "0.05,0.05,0.05", "NOTIFY_GATHER_SECONDS": "1"}

SECRET = "https://user:hunter2@there"


@dataclass
class Receiver:
    """Somebody who is told. `answers` are the statuses of the next answers; after them everything is taken."""

    url: str = ""
    answers: list[int] = field(default_factory=list)
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)

    async def take(self, request: Request) -> Response:
        self.got.append((dict(request.headers), await request.body()))
        return Response(status_code=self.answers.pop(0) if self.answers else 204)

    async def times(self, number: int) -> list[tuple[dict[str, str], bytes]]:
        """Wait until it was told so many times."""

        async def enough() -> bool:
            return len(self.got) >= number

        await eventually(enough)
        assert len(self.got) == number
        return self.got


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = Starlette(routes=[Route("/hook", receiver.take, methods=["POST"])])
    server = EmbeddedServer(uvicorn.Config(app, port=0, log_config=None, lifespan="off"))
    running = asyncio.create_task(server.serve())

    async def started() -> bool:
        return server.started

    await eventually(started)
    receiver.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}/hook"
    yield receiver
    server.should_exit = True
    await running


@pytest.fixture
async def silent() -> AsyncIterator[str]:
    """The address of somebody who takes connections and says nothing."""
    writers: list[asyncio.StreamWriter] = []
    server = await asyncio.start_server(lambda _reader, writer: writers.append(writer), "127.0.0.1")
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hook"
    server.close()
    for writer in writers:
        writer.close()
        await writer.wait_closed()


async def hook(api: Api, url: str, *events: str) -> dict[str, Any]:
    answer = await api.http.post("/webhooks", json={"url": url, "events": events or ["publish.result"]})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


async def tell(client: Client, event: Event, event_id: str = "") -> None:
    emit = emitted(event, event_id=event_id or str(uuid4()), consumer="tests", cause_id="tests")
    await client.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))


def result() -> PublishResult:
    target = TargetResult(target="telegram:@there", status="succeeded", message_ids=(5,))
    return PublishResult(package_id="p", post_id=uuid4(), status="succeeded", targets=(target,))


async def notified(api: Api, fingerprint: str) -> None:
    """Wait for a notification."""

    async def there() -> bool:
        rows = await api.database.fetch("SELECT FROM notifications WHERE fingerprint = $1", fingerprint)
        return bool(rows)

    await eventually(there)


async def settled(api: Api, webhook: dict[str, Any], status: str) -> dict[str, Any]:
    """Wait for a delivery with a status."""

    async def there() -> list[dict[str, Any]]:
        return list((await api.http.get(f"/webhooks/{webhook['id']}/deliveries?status={status}")).json()["items"])

    return (await eventually(there))[0]


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_a_content_that_was_created_is_told(api: Api, nats_client: Client, receiver: Receiver) -> None:
    await hook(api, receiver.url, "content.created")
    event = ContentCreated(content_id=uuid4(), post_id=uuid4(), rewrite_id=uuid4())
    await tell(nats_client, event)
    [(_, body)] = await receiver.times(1)
    content = json.loads(body)
    assert (content["type"], content["data"]) == ("content.created", event.model_dump(mode="json"))


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_a_result_is_told_once_and_signed(api: Api, nats_client: Client, receiver: Receiver) -> None:
    webhook = await hook(api, receiver.url)
    event = result()
    await tell(nats_client, event, "same")
    await tell(nats_client, event, "other")
    headers, body = (await receiver.times(2))[0]
    content = json.loads(body)
    assert content["type"] == "publish.result"
    assert content["data"]["post_id"] == str(event.post_id)
    # As a receiver verifies it: https://www.standardwebhooks.com
    assert abs(int(headers["webhook-timestamp"]) - time.time()) < 300
    signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
    key = base64.b64decode(webhook["secret"].removeprefix("whsec_"))
    assert headers["webhook-signature"] == f"v1,{base64.b64encode(hmac.digest(key, signed, hashlib.sha256)).decode()}"
    delivery = await settled(api, webhook, "delivered")
    assert (delivery["last_status"], delivery["attempts"]) == (204, 1)
    # The secret is shown once, and nowhere else.
    for path in ("/webhooks", f"/webhooks/{webhook['id']}", "/audit-log"):
        assert webhook["secret"] not in (await api.http.get(path)).text


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_what_is_not_taken_is_repeated_under_the_same_id(
    api: Api, nats_client: Client, receiver: Receiver
) -> None:
    receiver.answers = [500, 302]
    webhook = await hook(api, receiver.url)
    await tell(nats_client, result())
    told = await receiver.times(3)
    assert len({headers["webhook-id"] for headers, _ in told}) == 1
    assert len({body for _, body in told}) == 1
    assert (await settled(api, webhook, "delivered"))["attempts"] == 3


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_what_nobody_takes_has_failed_and_can_be_sent_again(
    api: Api, nats_client: Client, receiver: Receiver
) -> None:
    receiver.answers = [503] * 4
    webhook = await hook(api, receiver.url)
    await tell(nats_client, result())
    delivery = await settled(api, webhook, "failed")
    assert (delivery["attempts"], delivery["last_error"]) == (4, "it answered 503")

    async def told() -> list[dict[str, Any]]:
        return list((await api.http.get("/notifications?kind=api.webhook_failed")).json()["items"])

    await eventually(told)
    again = await api.http.post(f"/webhooks/{webhook['id']}/deliveries/{delivery['id']}/redeliver")
    assert again.status_code == 202
    assert (await settled(api, webhook, "delivered"))["id"] == delivery["id"]


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_who_is_gone_is_not_told_any_more(api: Api, nats_client: Client, receiver: Receiver) -> None:
    receiver.answers = [410]
    webhook = await hook(api, receiver.url)
    await tell(nats_client, result())
    await settled(api, webhook, "failed")
    found = (await api.http.get(f"/webhooks/{webhook['id']}")).json()
    assert (found["enabled"], found["disabled_reason"]) == (False, "it answered 410 Gone")
    test = await api.http.post(f"/webhooks/{webhook['id']}/test")
    assert test.status_code == 202
    (_, body) = (await receiver.times(2))[1]
    assert json.loads(body)["type"] == "webhook.test"


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_only_what_is_wanted_is_told(api: Api, nats_client: Client, receiver: Receiver) -> None:
    await hook(api, receiver.url, "notification.error")
    for severity in ("info", "error", "warning"):
        notice = NotifyRequested(kind="a.b", severity=severity, title=severity, fingerprint=severity, detail=SECRET)  # type: ignore[arg-type]
        await tell(nats_client, notice)
    await tell(nats_client, result())
    [(_, body)] = await receiver.times(1)
    data = json.loads(body)["data"]
    assert (data["title"], data["detail"]) == ("error", "https://user:[redacted]@there")


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_a_webhook_is_not_told_that_it_takes_nothing(api: Api, nats_client: Client, receiver: Receiver) -> None:
    """That would fail as well, and so on for ever."""
    webhook = await hook(api, receiver.url, "notification")
    for fingerprint in (f"api.webhook_failed/{webhook['id']}", f"api.webhook_failed/{uuid4()}"):
        await tell(nats_client, NotifyRequested(kind="api.webhook_failed", title="t", fingerprint=fingerprint))
        await notified(api, fingerprint)
    [(_, body)] = await receiver.times(1)
    assert json.loads(body)["data"]["fingerprint"] == fingerprint
    assert await api.database.strict.fetchval("SELECT count(*) FROM webhook_deliveries") == 1


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_a_storm_of_notifications_is_told_once(api: Api, nats_client: Client, receiver: Receiver) -> None:
    await hook(api, receiver.url, "notification")
    for number in range(50):
        notice = NotifyRequested(kind="a.b", severity="info", title="again", fingerprint="f", detail=str(number))
        await tell(nats_client, notice)
    [(_, body)] = await receiver.times(1)
    content = json.loads(body)
    told = content["data"]
    assert (content["type"], told["count"], told["update"]) == ("notification", 50, False)
    assert told["detail"] in map(str, range(50))  # that of the last one; they are kept many at a time
    [kept] = (await api.http.get("/notifications")).json()["items"]
    assert told["id"] == kept["id"]


async def test_private_addresses_are_refused(api: Api, nats_client: Client, receiver: Receiver) -> None:
    for url in (
        receiver.url,
        "http://localhost/",
        "http://10.0.0.1/",
        "http://[::1]/",
        "http://169.254.169.254/latest/meta-data",
        "http://2130706433/",
        "ftp://a.example/",
        "file:///etc/passwd",
        "https://user:password@a.example/",
        "https://",
        "x",
    ):
        answer = await api.http.post("/webhooks", json={"url": url, "events": ["publish.result"]})
        assert answer.status_code == 422, url
    # A name that leads to a private address is refused when it is told.
    webhook = await hook(api, "https://a.example/")
    await api.database.execute("UPDATE webhooks SET url = $1", receiver.url)
    await tell(nats_client, result())

    async def tried() -> str | None:
        [delivery] = (await api.http.get(f"/webhooks/{webhook['id']}/deliveries")).json()["items"] or [{}]
        return delivery.get("last_error")

    assert "not a public address" in str(await eventually(tried))
    assert receiver.got == []


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_a_delivery_whose_sender_died_is_taken_over(api: Api, nats_client: Client, receiver: Receiver) -> None:
    webhook = await hook(api, receiver.url)
    await api.database.execute(
        "INSERT INTO webhook_deliveries (webhook_id, event, event_id, body, attempts, holder, lease_until)"
        " VALUES ($1, 'publish.result', 'e', '{}', 1, gen_random_uuid(), now() - interval '1 second')",
        webhook["id"],
    )
    await receiver.times(1)
    assert (await settled(api, webhook, "delivered"))["attempts"] == 2


@pytest.mark.parametrize("environment", [PRIVATE])
async def test_one_that_says_nothing_keeps_no_other_one_waiting(silent: str, api: Api, receiver: Receiver) -> None:
    dead, alive = await hook(api, silent), await hook(api, receiver.url)
    told = (
        "INSERT INTO webhook_deliveries (webhook_id, event, event_id, body)"
        " SELECT $1::uuid, 'publish.result', n::text, '{}' FROM generate_series(1, 30) n"
    )
    await api.database.execute(told, dead["id"])
    await api.database.execute(told, alive["id"])
    await receiver.times(30)  # in less time than one attempt may take
    [row] = await api.database.fetch(
        "SELECT count(*) FILTER (WHERE lease_until > now()) AS under_way, max(attempts) AS attempts"
        " FROM webhook_deliveries WHERE webhook_id = $1",
        dead["id"],
    )
    assert (row["under_way"], row["attempts"]) == (4, 1)
