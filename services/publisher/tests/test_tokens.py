"""Access tokens that are not taken any more."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pydantic import SecretStr

from common.postgres import Database
from common.sends import Wait
from publisher.accounts import Credentials
from publisher.adapters.tokens import NotRenewed, Renewed, Tokens

Told = list[tuple[str, str]]


def noting(told: Told) -> Callable[[str, str], Awaitable[None]]:
    """Notes what is told."""

    async def note(account: str, why: str) -> None:
        told.append((account, why))

    return note


def given(refresh: str | None = None) -> dict[str, Credentials]:
    """An account, as the settings give it."""
    token = SecretStr(refresh) if refresh else None
    return {"demo": Credentials(user_id="1", access_token=SecretStr("old"), refresh_token=token)}


async def test_every_call_with_a_token_that_is_over_waits_and_one_tells(database: Database) -> None:
    told: Told = []
    tokens = Tokens(database, "instagram", given(), noting(told))
    token = await tokens.of("demo")
    for _ in range(3):  # as of two calls at once
        with pytest.raises(Wait, match="instagram:demo"):
            await tokens.not_taken("demo", token, "Session has expired")
    assert told == [("demo", "Session has expired")]
    tokens.taken("demo")
    with pytest.raises(Wait):
        await tokens.not_taken("demo", token, "Session has expired")
    assert len(told) == 2


async def test_of_several_replicas_one_renews_and_all_have_the_new_token(database: Database) -> None:
    renewed: list[str] = []

    async def renew(_credentials: Credentials, refresh_token: str) -> Renewed:
        renewed.append(refresh_token)
        await asyncio.sleep(0.05)
        return Renewed(f"access {len(renewed)}", f"refresh {len(renewed)}")

    replicas = [Tokens(database, "x", given("first"), noting([]), renew) for _ in range(3)]
    old = [await each.of("demo") for each in replicas]
    await asyncio.gather(*(each.not_taken("demo", token, "over") for each, token in zip(replicas, old, strict=True)))
    assert [await each.of("demo") for each in replicas] == ["access 1"] * 3
    await replicas[0].not_taken("demo", "access 1", "over")
    assert renewed == ["first", "refresh 1"]
    assert await Tokens(database, "x", given("first"), noting([]), renew).of("demo") == "access 2"
    assert await Tokens(database, "x", given("another"), noting([]), renew).of("demo") == "old"


async def test_nobody_can_read_the_tokens_that_are_kept(database: Database) -> None:
    async def renew(_credentials: Credentials, _refresh_token: str) -> Renewed:
        return Renewed("fresh access", "fresh refresh")

    tokens = Tokens(database, "x", given("first"), noting([]), renew)
    before = await tokens.of("demo")
    for told in ("first", "fresh"):
        shown = "\n".join(row[0] for row in await database.fetch("SELECT t::text FROM platform_tokens t"))
        kept = bytes((await database.fetch("SELECT tokens FROM platform_tokens"))[0][0])
        assert shown
        assert told not in shown
        assert told.encode() not in kept
        await tokens.not_taken("demo", before, "over")


async def test_a_replica_with_other_settings_takes_no_tokens_that_are_not_its_own(database: Database) -> None:
    told: Told = []

    async def renew(_credentials: Credentials, _refresh_token: str) -> Renewed:
        raise AssertionError

    old = Tokens(database, "x", given("old"), noting(told), renew)
    token = await old.of("demo")
    assert await Tokens(database, "x", given("new"), noting([]), renew).of("demo") == "old"
    with pytest.raises(Wait, match="another replica has other tokens"):
        await old.not_taken("demo", token, "over")
    assert len(told) == 1


async def test_a_refresh_token_that_is_over_is_told(database: Database) -> None:
    told: Told = []

    async def renew(_credentials: Credentials, _refresh_token: str) -> Renewed:
        raise NotRenewed("sign in again")

    tokens = Tokens(database, "x", given("spent"), noting(told), renew)
    with pytest.raises(Wait, match="sign in again"):
        await tokens.not_taken("demo", await tokens.of("demo"), "over")
    assert told == [("demo", "sign in again")]
