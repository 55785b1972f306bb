"""`postroom user`, on servers without services."""

from typing import Any

import pytest

from common.postgres import Database
from common.users import Sessions, Setup, WrongCredentials

PASSWORD, ANOTHER = "correct horse battery", "battery staple horse"
BROWSER = {"address": "192.0.2.1", "agent": "Chromium"}


async def test_a_user_from_creation_to_the_end(connected: Any, database: Database) -> None:
    assert connected.command("user", "list").stdout == ""
    made = connected.said("user", "create", "Anna", "--role", "admin", stdin=f"{PASSWORD}\n")
    assert (made["login"], made["role"]) == ("anna", "admin")
    sessions = Sessions(database)
    _, secret = await sessions.sign_in("anna", PASSWORD, **BROWSER)
    again = connected.command("user", "create", "anna", stdin=PASSWORD, check=False)
    assert (again.returncode, again.stderr) == (1, "postroom: there is a user anna already\n")
    assert "the last administrator" in connected.command("user", "disable", "anna", check=False).stderr
    assert connected.command("user", "role", "anna", "viewer", check=False).returncode == 1
    connected.command("user", "create", "boris", "--role", "admin", "--name", "Boris B.", stdin=PASSWORD)
    assert connected.command("user", "role", "anna", "editor").stdout == "anna is editor\n"
    assert connected.command("user", "password", "anna", stdin=ANOTHER).returncode == 0
    assert await sessions.check(secret) is None
    _, secret = await sessions.sign_in("anna", ANOTHER, **BROWSER)
    assert connected.command("user", "disable", "anna").stdout == "anna may sign in no more\n"
    with pytest.raises(WrongCredentials):
        await sessions.sign_in("anna", ANOTHER, **BROWSER)
    assert connected.command("user", "enable", "anna").returncode == 0
    listed = connected.command("user", "list").stdout
    assert "Boris B." in listed
    rows = await database.fetch("SELECT actor, action, after FROM audit_log WHERE action <> 'sign_in' ORDER BY id")
    assert [row["action"] for row in rows] == [
        "create_user", "create_user", "change_user", "set_password", "disable_user", "enable_user",
    ]  # fmt: skip
    assert all(row["actor"].startswith("cli") for row in rows)
    assert PASSWORD not in str(rows)
    assert ANOTHER not in str(rows)


async def test_the_set_up_code_is_for_the_first_one(connected: Any, database: Database) -> None:
    path = connected.said("user", "setup")["path"]
    code = path.removeprefix("/set-up?code=")
    assert (await Setup(database).redeem(code, "anna", "Anna", PASSWORD)).role == "admin"
    assert connected.command("user", "setup", check=False).returncode == 1


def test_what_is_wrong_is_said(connected: Any) -> None:
    for wrong in (("a b",), ("имя",), ("anna", "--role", "root")):
        assert connected.command("user", "create", *wrong, stdin=PASSWORD, check=False).returncode == 2, wrong
    short = connected.command("user", "create", "anna", stdin="short", check=False)
    assert (short.returncode, short.stderr) == (2, "postroom: a password needs at least 10 characters\n")
    assert connected.command("user", "password", "nobody", stdin=PASSWORD, check=False).returncode == 1
    assert connected.said("user", "list") == []
