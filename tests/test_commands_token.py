"""`postroom token`, on servers without services."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from common.postgres import Database
from common.tokens import TokenRefused, Tokens


async def test_a_token_from_its_creation_to_its_end(connected: Any, database: Database) -> None:
    assert connected.command("token", "list").stdout == ""
    made = connected.said("token", "create", "panel", "--scope", "write", "--expires", "2w")
    token = await Tokens(database).check(made["token"])
    assert (token.name, token.scope) == ("panel", "write")
    assert token.expires_at
    assert timedelta(days=13) < token.expires_at - datetime.now(UTC) < timedelta(days=14, minutes=1)
    assert made["token"] not in str(await database.fetch("SELECT * FROM api_tokens"))
    again = connected.command("token", "create", "panel", check=False)
    assert (again.returncode, again.stderr) == (
        1,
        "postroom: there is a token panel already: revoke it, or choose another name\n",
    )
    assert [row["name"] for row in connected.said("token", "list")] == ["panel"]
    assert made["token"] not in connected.command("token", "list").stdout
    assert connected.command("token", "revoke", "panel").stdout == "token panel is revoked\n"
    with pytest.raises(TokenRefused, match="revoked"):
        await Tokens(database).check(made["token"])
    assert connected.command("token", "revoke", "panel", check=False).returncode == 1
    rows = await database.fetch("SELECT actor, action FROM audit_log ORDER BY id")
    assert [row["action"] for row in rows] == ["create_token", "revoke_token"]
    assert all(row["actor"].startswith("cli") for row in rows)


async def test_the_secret_alone_is_on_stdout(connected: Any, database: Database) -> None:
    done = connected.command("token", "create", "script", "--expires", "never")
    assert (await Tokens(database).check(done.stdout.strip())).scope == "read"
    assert "for ever" in done.stderr


async def test_the_name_of_a_token_that_has_expired_is_free(connected: Any, database: Database) -> None:
    old = connected.said("token", "create", "panel")["token"]
    await database.execute("UPDATE api_tokens SET expires_at = now()")
    with pytest.raises(TokenRefused, match="expired"):
        await Tokens(database).check(old)
    new = connected.said("token", "create", "panel")["token"]
    assert (await Tokens(database).check(new)).name == "panel"


def test_what_is_wrong_is_said(connected: Any) -> None:
    for wrong in (("a b",), ("",), ("x" * 64,), ("a", "--scope", "root"), ("a", "--expires", "soon")):
        assert connected.command("token", "create", *wrong, check=False).returncode == 2, wrong
    assert connected.said("token", "list") == []
