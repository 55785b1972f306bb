"""`postroom login` at the sandbox's Telegram."""

import asyncio
import functools
import json
import re
import subprocess
from collections.abc import AsyncIterator
from typing import Any

import pytest
from telethon.sessions.string import StringSession

from common.telegram.client import connect, create_client, disconnect
from common.telegram.settings import TelegramSettings
from sandbox.app import Sandbox
from sandbox.settings import SandboxSettings
from sandbox.telegram import Store, World
from sandbox.telegram.handshake import make_rsa_key

CODE = "12345"  # of every sign-in to the sandbox


@pytest.fixture(scope="module")
def rsa_key_pem() -> str:
    """The key of the sandbox's Telegram; to make one takes a while."""
    return make_rsa_key()


@pytest.fixture
async def settings(place: Any, rsa_key_pem: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, str]]:
    """The settings that lead to a sandbox's Telegram, which also knows Carol, whose password is "swordfish"."""
    store = Store(place.directory / "telegram.sqlite3")
    World(store).add_user("Carol", phone="+99966 1 0003", password="swordfish")
    store.close()
    async with Sandbox(SandboxSettings(state=place.directory, demo=False), rsa_key_pem) as sandbox:
        server = sandbox.telegram()
        found = {
            "TELEGRAM_SERVER": f"{server['host']}:{server['port']}",
            "TELEGRAM_SERVER_PUBLIC_KEY": server["public_key_pem"],
            "TELEGRAM_DC": str(server["dc"]),
        }
        for name, value in found.items():
            monkeypatch.setenv(name, value)
        yield found


async def login(place: Any, *arguments: str, stdin: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Sign in, while the sandbox goes on."""
    command = functools.partial(place.command, "login", *arguments, check=False, stdin=stdin, **settings)
    done: subprocess.CompletedProcess[str] = await asyncio.to_thread(command)
    return done


async def whose(session: str) -> str:
    """The name of the account that a session belongs to."""
    client = create_client(StringSession(session), TelegramSettings(_env_file=None))  # type: ignore[call-arg]
    try:
        await connect(client)
        return str((await client.get_me()).first_name)
    finally:
        await disconnect(client)


async def test_a_phone_and_a_code_give_a_session(place: Any, settings: dict[str, str]) -> None:
    done = await login(place, "--phone", "+99966 1 0001", stdin=f"54321\n{CODE}\n", **settings)
    assert "That is not the code." in done.stderr
    assert "Signed in as Newsroom editor." in done.stderr
    found = re.fullmatch(r"TELETHON_SESSION=(\S+)\n", done.stdout)
    assert found
    assert await whose(found[1]) == "Newsroom editor"

    asked = await login(place, "--json", stdin=f"+99966 1 0001\n{CODE}\n", **settings)
    assert asked.returncode == 0, asked.stderr
    told = json.loads(asked.stdout)
    assert told["account"] == "Newsroom editor"
    assert await whose(told["session"]) == "Newsroom editor"


async def test_the_password_is_asked_for_where_there_is_one(place: Any, settings: dict[str, str]) -> None:
    done = await login(place, "--phone", "+99966 1 0003", stdin=f"{CODE}\npike\nswordfish\n", **settings)
    assert "That is not the password." in done.stderr
    assert "swordfish" not in done.stdout + done.stderr
    assert await whose(done.stdout.strip().removeprefix("TELETHON_SESSION=")) == "Carol"


async def test_what_is_wrong_is_said_in_one_line(place: Any, settings: dict[str, str]) -> None:
    async def refused(phone: str, stdin: str = "", code: int = 1, **more: str) -> str:
        done = await login(place, "--phone", phone, stdin=stdin, **(settings | more))
        assert (done.returncode, done.stdout) == (code, ""), done
        assert "Traceback" not in done.stderr
        return str(done.stderr.splitlines()[-1])

    wrong = await refused("+99966 1 0001", "1\n2\n3\n")
    assert wrong.endswith("postroom: That is not the code. That was the third time; start again for a new code.")
    assert "is not a phone number that Telegram knows" in await refused("nonsense")
    assert "nobody has signed up with +99966 9 9999" in await refused("+99966 9 9999", f"{CODE}\n")
    assert "Aborted" in await refused("+99966 1 0001", "")
    assert (await refused("+99966 1 0001", TELEGRAM_SERVER="127.0.0.1:1")).startswith("postroom: Telegram: ")
    assert "TELEGRAM_API_ID is not set" in await refused("+99966 1 0001", code=2, TELEGRAM_SERVER="")
