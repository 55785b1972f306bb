"""`python -m sandbox` as a supervisor meets it."""

import asyncio
import json
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession


@asynccontextmanager
async def started(*arguments: str) -> AsyncIterator[tuple[asyncio.subprocess.Process, dict[str, Any]]]:
    """Run the program until it says that it is ready; kill it if the test did not stop it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "sandbox", *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    try:
        assert process.stdout
        yield process, json.loads(await asyncio.wait_for(process.stdout.readline(), 60) or "{}")
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def stop(process: asyncio.subprocess.Process, number: int) -> int:
    """Send a signal and return the exit status."""
    process.send_signal(number)
    return await asyncio.wait_for(process.wait(), 10)


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM to send")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_it_announces_itself_and_stops_on_a_signal(tmp_path: Path, number: int) -> None:
    async with started("--state", str(tmp_path), "--trickle-seconds", "0.05") as (process, ready):
        path = tmp_path / "sandbox.json"
        announced = json.loads(path.read_text("utf-8"))
        assert path.stat().st_mode & 0o077 == 0
        assert ready["url"] == announced["http"]["url"]
        assert announced["pid"] == process.pid
        assert "BEGIN RSA PUBLIC KEY" in announced["telegram"]["public_key_pem"]
        assert [source["username"] for source in announced["telegram"]["sources"]] == [
            "gorod_novosti_demo",
            "bench_and_orbit_demo",
        ]
        async with httpx.AsyncClient(base_url=ready["url"]) as http:
            assert (await http.get("/health/ready")).status_code == 200
            feed = announced["feeds"][0]
            assert (await http.get(feed["url"])).status_code == 200
            # A request that hangs must not keep the program from stopping.
            await http.post("/api/faults", json={"where": "model", "kind": "hang"})
            key = {"authorization": f"Bearer {announced['model']['api_key']}"}
            body = {"model": "m", "input": "Hello"}
            hanging = asyncio.create_task(http.post("/v1/responses", json=body, headers=key, timeout=30))
            while (await http.get("/api/faults")).json():  # noqa: ASYNC110  # until the request has taken it
                await asyncio.sleep(0.01)
            assert await stop(process, number) == 0
            with pytest.raises(httpx.HTTPError):
                (await hanging).raise_for_status()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL to send")
async def test_a_killed_sandbox_comes_back_with_its_ports_accounts_and_messages(tmp_path: Path) -> None:
    async def announced_and_messages(*arguments: str) -> tuple[Any, Any]:
        async with started("--state", str(tmp_path), "--trickle-seconds", "0", *arguments) as (process, ready):
            async with httpx.AsyncClient(base_url=ready["url"]) as http:
                messages = (await http.get("/api/chats/@bench_and_orbit_demo/messages")).json()
            process.kill()
            await process.wait()
        announced = json.loads((tmp_path / "sandbox.json").read_text("utf-8"))
        return {**announced, "pid": None, "started_at": None}, messages

    assert await announced_and_messages() == await announced_and_messages()


async def test_a_taken_port_falls_back_unless_it_was_asked_for(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "sandbox.json").write_text(json.dumps({"http": {"port": port}, "telegram": {"port": port}}))
        quiet = ("--state", str(tmp_path), "--no-demo")
        async with started(*quiet) as (_, ready):
            assert ready["url"] != f"http://127.0.0.1:{port}"
        for option in ("--http-port", "--telegram-port"):
            async with started(*quiet, option, str(port)) as (process, ready):
                assert not ready
                assert await process.wait() == 1


@pytest.mark.parametrize(
    ("arguments", "status"),
    [(("--help",), 0), (("--http-port", "70000"), 2), (("--corpus", os.devnull), 1), (("--limits", "none"), 2)],
)
async def test_exit_statuses(arguments: tuple[str, ...], status: int) -> None:
    async with started_without_answer(*arguments) as process:
        _, errors = await process.communicate()
        assert process.returncode == status
        assert b"Traceback" not in errors


@asynccontextmanager
async def started_without_answer(*arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the program to its end."""
    pipe = asyncio.subprocess.PIPE
    yield await asyncio.create_subprocess_exec(sys.executable, "-m", "sandbox", *arguments, stdout=pipe, stderr=pipe)


async def test_services_can_be_configured_from_the_announcement(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with started("--state", str(tmp_path), "--trickle-seconds", "0"):
        telegram = json.loads((tmp_path / "sandbox.json").read_text("utf-8"))["telegram"]
        monkeypatch.setattr(rsa, "_server_keys", {})
        rsa.add_key(telegram["public_key_pem"], old=False)
        accounts = {account["name"]: account for account in telegram["accounts"]}
        source, destination = telegram["sources"][0], telegram["destinations"][0]

        session = StringSession(accounts["collector"]["string_session"])
        collector = TelegramClient(session, telegram["api_id"], telegram["api_hash"])
        await collector.connect()
        assert len(await collector.get_messages(source["username"], limit=100)) == 18

        publisher = TelegramClient(StringSession(), telegram["api_id"], telegram["api_hash"])
        publisher.session.set_dc(telegram["dc"], telegram["host"], telegram["port"])
        await publisher.start(bot_token=accounts["publisher"]["token"])
        sent = await publisher.send_message(destination["username"], "Hello")
        assert [message.id for message in await collector.get_messages(destination["username"])] == [sent.id]
        await publisher.disconnect()
        await collector.disconnect()
