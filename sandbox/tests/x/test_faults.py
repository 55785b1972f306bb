"""Trouble on demand: what the publisher sees, and what was carried out nevertheless."""

from typing import Any

import httpx
import pytest


async def test_rate_limit(x: Any) -> None:
    x.fault("rate_limit", seconds=90)
    answer = await x.post("once")
    assert answer.status_code == 429
    assert answer.headers["x-rate-limit-remaining"] == "0"
    assert int(answer.headers["x-rate-limit-reset"]) == int(x.clock.now) + 91
    await x.posted("once")


@pytest.mark.parametrize(("seconds", "status"), [(0, 500), (5, 503)])
async def test_server_error(x: Any, seconds: float, status: int) -> None:
    x.fault("server_error", seconds=seconds)
    assert (await x.post("once")).status_code == status
    assert await x.texts() == []


async def test_expired_token(x: Any) -> None:
    x.fault("expired_token", "")
    assert (await x.http.get("/2/users/me")).status_code == 401
    assert (await x.http.get("/2/users/me")).status_code == 200


async def test_drop_and_drop_after(x: Any) -> None:
    x.fault("drop")
    with pytest.raises(httpx.RemoteProtocolError):
        await x.post("once")
    assert await x.texts() == []
    x.fault("drop_after")
    with pytest.raises(httpx.RemoteProtocolError):
        await x.post("once")
    assert await x.texts() == ["once"]
    assert (await x.post("once")).status_code == 403


async def test_error_after_has_posted(x: Any) -> None:
    x.fault("error_after", seconds=1)
    assert (await x.post("once")).status_code == 503
    assert await x.texts() == ["once"]


async def test_hang_and_delay(x: Any) -> None:
    x.fault("hang")
    with pytest.raises(httpx.ReadTimeout):
        await x.http.post("/2/tweets", json={"text": "once"}, timeout=httpx.Timeout(5, read=0.2))
    assert await x.texts() == []
    x.fault("delay", seconds=0.05)
    await x.posted("once")
    newest = x.platforms.x.calls.newest(1)[0]
    assert (newest.where, newest.status, newest.fault, newest.account) == ("x:/2/tweets", 201, "delay", int(x.id))
    assert newest.seconds >= 0.05


async def test_a_fault_befalls_its_operation_only(x: Any) -> None:
    x.fault("server_error", "/2/media*", times=2)
    x.fault("server_error", "DELETE /2/tweets/{id}")
    post = await x.posted("once")
    assert (await x.http.delete(f"/2/tweets/{post}")).status_code == 500
    assert (await x.upload(b"")).status_code == 500
    assert (await x.http.post(f"/2/media/upload/{post}/finalize")).status_code == 500
    assert (await x.http.delete(f"/2/tweets/{post}")).status_code == 200
