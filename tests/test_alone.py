"""One service alone, from its settings: `postroom run userbot`, as Windows' CI starts it, and without an account."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
from nats.aio.client import Client

from common.postgres import Database
from common.service import ServiceSettings
from common.testing.waiting import eventually

TRIAL = Path(__file__).parents[1] / ".github" / "start_userbot.py"


def test_the_trial_of_windows_passes_here_too() -> None:
    done = subprocess.run([sys.executable, TRIAL], capture_output=True, text=True, timeout=150, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "broadcast once to every chat" in done.stdout


async def test_a_userbot_without_an_account_keeps_requests_and_says_so(
    place: Any, database: Database, service_settings: ServiceSettings, nats_client: Client, unused_tcp_port: int
) -> None:
    settings = {
        "DATABASE_URL": service_settings.database_url.get_secret_value(),
        "NATS_URL": service_settings.nats_url.get_secret_value(),
        "TELEGRAM_API_ID": "1",
        "TELEGRAM_API_HASH": "0" * 32,
        "TELETHON_SESSION": "of-the-collector",
        "USERBOT_OWN_SESSION": "true",
        "HEALTH_PORT": str(unused_tcp_port),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "postroom", "run", "userbot",
        cwd=place.directory, env=place.environment(**settings), stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{unused_tcp_port}") as http:

            async def told() -> dict[str, Any] | None:
                try:
                    found: dict[str, Any] = (await http.get("/health/ready")).json()
                except httpx.TransportError:
                    return None
                return found if "no account" in found["problems"].get("telegram", "") else None

            assert (await eventually(told, within=30))["problems"].keys() == {"telegram"}
        request = {"text": "Hello", "target_chat_ids": ["@somewhere"]}
        await nats_client.jetstream().publish("broadcast.requested", json.dumps(request).encode())
        row = await eventually(lambda: database.fetchrow("SELECT status, attempts FROM userbot_tasks"), within=30)
        assert dict(row) == {"status": "pending", "attempts": 0}
    finally:
        process.terminate()
        said, _ = await asyncio.wait_for(process.communicate(), 30)
    assert process.returncode == 0
    assert b"USERBOT_TELETHON_SESSION" in said
    assert not await database.strict.fetchval("SELECT count(*) FROM outbox")
