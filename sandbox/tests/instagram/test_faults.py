"""Trouble on demand: what the publisher sees, and what was carried out nevertheless."""

import asyncio
import json
from typing import Any

import httpx
import pytest


@pytest.mark.parametrize(
    ("message", "status", "code"), [("", 403, 4), ("17", 400, 17), ("32", 400, 32), ("80002", 400, 80002)]
)
async def test_rate_limit(instagram: Any, message: str, status: int, code: int) -> None:
    container = await instagram.created()
    instagram.fault("rate_limit", seconds=90, message=message)
    answer = await instagram.publish(container)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    (usage,) = json.loads(answer.headers["x-business-use-case-usage"]).values()
    assert usage[0]["estimated_time_to_regain_access"] == 2
    assert (await instagram.publish(container)).status_code == 200


@pytest.mark.parametrize(("seconds", "status"), [(0, 500), (5, 503)])
async def test_server_error(instagram: Any, seconds: float, status: int) -> None:
    instagram.fault("server_error", seconds=seconds)
    answer = await instagram.publish(await instagram.created())
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, 2)
    assert answer.json()["error"]["is_transient"] is True
    assert await instagram.captions() == []


async def test_expired_token(instagram: Any) -> None:
    instagram.fault("expired_token", "", times=2)
    for _ in range(2):
        error = (await instagram.create()).json()["error"]
        assert (error["code"], error["error_subcode"], error["type"]) == (190, 463, "OAuthException")
    assert (await instagram.create()).status_code == 200


async def test_drop_carries_nothing_out(instagram: Any) -> None:
    container = await instagram.created(caption="once")
    instagram.fault("drop")
    with pytest.raises(httpx.RemoteProtocolError):
        await instagram.publish(container)
    assert await instagram.captions() == []
    assert (await instagram.get(container, fields="status_code"))["status_code"] == "FINISHED"


async def test_drop_after_has_published(instagram: Any) -> None:
    container = await instagram.created(caption="once")
    instagram.fault("drop_after")
    with pytest.raises(httpx.RemoteProtocolError):
        await instagram.publish(container)
    assert await instagram.captions() == ["once"]
    assert (await instagram.get(container, fields="status_code"))["status_code"] == "PUBLISHED"


async def test_error_after_has_published(instagram: Any) -> None:
    instagram.fault("error_after")
    assert (await instagram.publish(await instagram.created(caption="once"))).status_code == 500
    assert await instagram.captions() == ["once"]


async def test_hang_and_delay(instagram: Any) -> None:
    container = await instagram.created(caption="once")
    instagram.fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        await instagram.http.post(
            f"{instagram.id}/media_publish", data={"creation_id": container}, timeout=httpx.Timeout(5, read=0.2)
        )
    assert await instagram.captions() == []
    instagram.fault("delay", seconds=0.05)
    assert (await instagram.publish(container)).status_code == 200
    newest = instagram.platforms.instagram.calls.newest(2)
    assert (newest[0].status, newest[0].fault) == (200, "delay")
    assert newest[0].seconds >= 0.05


async def test_a_fault_befalls_its_operation_and_account_only(instagram: Any) -> None:
    other = instagram.platforms.instagram.studio.gallery.named("other")
    instagram.fault("server_error", "media", account=other.id)
    instagram.fault("container_error", "")  # what only making a container knows waits for one
    assert (await instagram.get("me"))["id"] == instagram.id
    container = await instagram.created()
    assert (await instagram.get(container, fields="status_code"))["status_code"] == "ERROR"
    assert len(list(instagram.faults)) == 1


async def test_a_fault_counts_down_over_concurrent_calls(instagram: Any) -> None:
    instagram.fault("server_error", "user", times=2)
    answers = await asyncio.gather(*(instagram.http.get("me") for _ in range(5)))
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 500, 500]


async def test_faults_are_ordered_over_http(instagram: Any) -> None:
    order = f"{instagram.url}/api/faults"
    body = {"where": "instagram:media_publish", "kind": "drop_after"}
    assert (await instagram.http.post(order, json=body)).status_code == 201
    assert (await instagram.http.post(order, json=body | {"kind": "flood_wait"})).status_code == 422
    assert (await instagram.http.post(order, json={"where": "x:/2/tweets", "kind": "rate_limit"})).status_code == 201
