"""`postroom login` at the sandbox's Telegram."""

import json
import re
from typing import Any

from telethon.sessions.string import StringSession

from common.telegram.client import connect, create_client, disconnect
from common.telegram.settings import TelegramSettings

CODE = "12345"  # of every sign-in to the sandbox


def telegram(place: Any) -> dict[str, Any]:
    """What the sandbox announces of its Telegram."""
    announced = json.loads((place.directory / ".postroom/corpus/sandbox/sandbox.json").read_text())
    found: dict[str, Any] = announced["telegram"]
    return found


def environment(place: Any) -> dict[str, str]:
    """The settings that lead there."""
    server = telegram(place)
    return {
        "TELEGRAM_SERVER": f"{server['host']}:{server['port']}",
        "TELEGRAM_SERVER_PUBLIC_KEY": server["public_key_pem"],
        "TELEGRAM_DC": str(server["dc"]),
    }


async def whose(place: Any, session: str) -> str:
    """The name of the account that a session belongs to."""
    client = create_client(StringSession(session), TelegramSettings(_env_file=None))  # type: ignore[call-arg]
    try:
        await connect(client)
        return str((await client.get_me()).first_name)
    finally:
        await disconnect(client)


async def test_a_phone_and_a_code_give_a_session(standing: Any, monkeypatch: Any) -> None:
    settings = environment(standing)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = standing.command("login", "--phone", "+99966 1 0001", stdin=f"54321\n{CODE}\n", **settings)
    assert "That is not the code." in done.stderr
    assert "Signed in as Newsroom editor." in done.stderr
    found = re.fullmatch(r"TELETHON_SESSION=(\S+)\n", done.stdout)
    assert found
    assert await whose(standing, found[1]) == "Newsroom editor"

    asked = standing.command("login", "--json", stdin=f"+99966 1 0001\n{CODE}\n", **settings)
    told = json.loads(asked.stdout)
    assert told["account"] == "Newsroom editor"
    assert await whose(standing, told["session"]) == "Newsroom editor"


async def test_the_password_is_asked_for_where_there_is_one(standing: Any, monkeypatch: Any) -> None:
    settings = environment(standing)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    done = standing.command("login", "--phone", "+99966 1 0003", stdin=f"{CODE}\npike\nswordfish\n", **settings)
    assert "That is not the password." in done.stderr
    assert "swordfish" not in done.stdout + done.stderr
    assert await whose(standing, done.stdout.strip().removeprefix("TELETHON_SESSION=")) == "Carol"


def test_what_is_wrong_is_said_in_one_line(standing: Any) -> None:
    settings = environment(standing)

    def refused(phone: str, stdin: str = "", code: int = 1, **more: str) -> str:
        done = standing.command("login", "--phone", phone, stdin=stdin, check=False, **(settings | more))
        assert (done.returncode, done.stdout) == (code, ""), done
        assert "Traceback" not in done.stderr
        return str(done.stderr.splitlines()[-1])

    assert refused("+99966 1 0001", "1\n2\n3\n").endswith(
        "postroom: That is not the code. That was the third time; start again for a new code."
    )
    assert "is not a phone number that Telegram knows" in refused("nonsense")
    assert "nobody has signed up with +99966 9 9999" in refused("+99966 9 9999", f"{CODE}\n")
    assert "Aborted" in refused("+99966 1 0001", "")
    assert refused("+99966 1 0001", TELEGRAM_SERVER="127.0.0.1:1").startswith("postroom: Telegram: ")
    assert "TELEGRAM_API_ID is not set" in refused("+99966 1 0001", code=2, TELEGRAM_SERVER="")
