"""People: who they are, how they sign in, what ends it."""

import asyncio

import pytest
from argon2 import PasswordHasher

from common.postgres import Database
from common.users import (
    LastAdministrator,
    LoginTaken,
    NoSuchUser,
    PasswordRefused,
    Passwords,
    Sessions,
    Setup,
    SetupRefused,
    Throttled,
    Users,
    WrongCredentials,
)

PASSWORD = "a long enough one"
QUICK = Passwords(PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
BROWSER = {"address": "192.0.2.1", "agent": "Chromium"}


async def test_what_is_stored_is_no_password(database: Database) -> None:
    user = await Users(database).create(" Anna ", PASSWORD, name="Anna K.", role="editor", by="tests")
    assert (user.login, user.name, user.role) == ("anna", "Anna K.", "editor")
    row = await database.fetchrow("SELECT password FROM users")
    assert row
    assert row["password"].startswith("$argon2id$v=19$m=65536,t=3,p=4$")  # RFC 9106, section 4
    session, secret = await Sessions(database).sign_in("ANNA", PASSWORD, **BROWSER)
    assert secret not in str(await database.fetch("SELECT * FROM user_sessions"))
    assert session.person.scope == "write"
    assert session.person.allows("read")
    assert not session.person.allows("admin")


@pytest.mark.parametrize(
    ("password", "why"),
    [("short", "10 characters"), ("x" * 1001, "1000"), ("someone@example", "the login"), ("a" * 12, "repeated")],
)
async def test_a_password_that_is_no_good_is_refused(database: Database, password: str, why: str) -> None:
    with pytest.raises(PasswordRefused, match=why):
        await Users(database, QUICK).create("someone@example", password, by="tests")


async def test_a_login_is_one_users(database: Database) -> None:
    users = Users(database, QUICK)
    await users.create("anna", PASSWORD, by="tests")
    with pytest.raises(LoginTaken):
        await users.create("ANNA", PASSWORD, by="tests")
    for wrong in ("", "-", "a b", "имя", "a" * 64):
        with pytest.raises(ValueError, match="a login has"):
            await users.create(wrong, PASSWORD, by="tests")
    with pytest.raises(NoSuchUser):
        await users.get("nobody")


async def test_somebody_can_always_administer(database: Database) -> None:
    users = Users(database, QUICK)
    await users.create("anna", PASSWORD, role="admin", by="tests")
    with pytest.raises(LastAdministrator):
        await users.change("anna", role="editor")
    with pytest.raises(LastAdministrator):
        await users.disable("anna")
    await users.create("boris", PASSWORD, role="admin", by="tests")
    outcomes = await asyncio.gather(users.disable("anna"), users.change("boris", role="viewer"), return_exceptions=True)
    assert sum(isinstance(outcome, LastAdministrator) for outcome in outcomes) == 1
    assert sum(user.role == "admin" and not user.disabled_at for user in await users.all()) == 1


async def test_a_value_that_is_none_is_refused(database: Database) -> None:
    users = Users(database, QUICK)
    await users.create("anna", PASSWORD, by="tests")
    for wrong in ({"role": "root"}, {"language": "xx"}, {"theme": "pink"}, {"time_zone": "../etc"}, {"name": " "}):
        with pytest.raises(ValueError, match=r"there are|named like|characters"):
            await users.change("anna", **wrong)
    changed = await users.change("anna", time_zone="Europe/Moscow", shortcuts=False)
    assert (changed.time_zone, changed.shortcuts, changed.role) == ("Europe/Moscow", False, "viewer")


async def test_a_session_from_sign_in_to_sign_out(database: Database) -> None:
    await Users(database, QUICK).create("anna", PASSWORD, by="tests")
    sessions = Sessions(database, passwords=QUICK)
    _, secret = await sessions.sign_in("anna", PASSWORD, **BROWSER, language="ru", time_zone="Asia/Omsk")
    found = await sessions.check(secret)
    assert found
    assert (found.person.language, found.person.time_zone) == ("ru", "Asia/Omsk")
    _, other = await sessions.sign_in("anna", PASSWORD, **BROWSER, language="en", time_zone="Mars/Base")
    again = await sessions.check(other)
    assert again
    assert again.person == found.person  # what was chosen stays
    assert secret != other
    await sessions.sign_out(secret)
    assert await sessions.check(secret) is None
    assert await sessions.check(other)
    assert await sessions.check("") is None


async def test_a_session_ends_by_itself(database: Database) -> None:
    user = await Users(database, QUICK).create("anna", PASSWORD, by="tests")
    sessions = Sessions(database, passwords=QUICK)
    _, idle = await sessions.start(user.id, **BROWSER)
    await database.execute("UPDATE user_sessions SET used_at = now() - interval '6 days 23 hours'")
    assert await sessions.check(idle)  # and so it is used now
    row = await database.fetchrow("SELECT used_at > now() - interval '1 minute' AS now FROM user_sessions")
    assert row
    assert row["now"]
    await database.execute("UPDATE user_sessions SET used_at = now() - interval '7 days 1 second'")
    assert await sessions.check(idle) is None
    await database.execute("UPDATE user_sessions SET used_at = now(), created_at = now() - interval '30 days 1 second'")
    assert await sessions.check(idle) is None
    assert await sessions.of(user.id) == []
    await sessions.forget()
    assert await database.fetch("SELECT FROM user_sessions") == []


async def test_another_password_ends_the_other_sessions(database: Database) -> None:
    users, sessions = Users(database, QUICK), Sessions(database, passwords=QUICK)
    user = await users.create("anna", PASSWORD, by="tests")
    here, kept = await sessions.start(user.id, **BROWSER)
    _, other = await sessions.start(user.id, **BROWSER)
    await users.set_password("anna", "another long one", keep=here.id)
    assert await sessions.check(kept)
    assert await sessions.check(other) is None
    with pytest.raises(WrongCredentials):
        await sessions.sign_in("anna", PASSWORD, **BROWSER)
    await users.disable("anna")
    assert await sessions.check(kept) is None
    with pytest.raises(WrongCredentials):
        await sessions.sign_in("anna", "another long one", **BROWSER)
    await users.enable("anna")
    await sessions.sign_in("anna", "another long one", **BROWSER)


async def test_a_role_counts_at_once(database: Database) -> None:
    user = await Users(database, QUICK).create("anna", PASSWORD, role="editor", by="tests")
    _, secret = await Sessions(database, passwords=QUICK).start(user.id, **BROWSER)
    await Users(database, QUICK).change("anna", role="viewer")
    session = await Sessions(database, passwords=QUICK).check(secret)
    assert session
    assert session.person.role == "viewer"


async def test_a_hash_of_other_parameters_is_made_anew(database: Database) -> None:
    await Users(database, QUICK).create("anna", PASSWORD, by="tests")
    await Sessions(database).sign_in("anna", PASSWORD, **BROWSER)
    row = await database.fetchrow("SELECT password FROM users")
    assert row
    assert "m=65536" in row["password"]
    await Sessions(database).sign_in("anna", PASSWORD, **BROWSER)


@pytest.mark.parametrize("login", ["anna", "nobody"])
async def test_attempts_wait_over_all_replicas(database: Database, login: str) -> None:
    await Users(database, QUICK).create("anna", PASSWORD, by="tests")
    replicas = [Sessions(database, passwords=QUICK), Sessions(database, passwords=QUICK)]
    attempts = [replicas[number % 2].sign_in(login, "wrong", **BROWSER) for number in range(12)]
    outcomes = await asyncio.gather(*attempts, return_exceptions=True)
    assert sum(isinstance(outcome, WrongCredentials) for outcome in outcomes) == 5
    assert sum(isinstance(outcome, Throttled) for outcome in outcomes) == 7
    await database.execute("UPDATE sign_in_attempts SET blocked_until = now() + interval '9.5 seconds'")
    with pytest.raises(Throttled, match="try again in 10 s"):
        await replicas[1].sign_in(login, PASSWORD, address="192.0.2.2", agent="")
    await database.execute("UPDATE sign_in_attempts SET blocked_until = now(), attempts = attempts + 20")
    with pytest.raises(WrongCredentials):
        await replicas[0].sign_in(login, "wrong", address="192.0.2.3", agent="")
    with pytest.raises(Throttled, match="try again in 15 min"):
        await replicas[0].sign_in(login, "wrong", address="192.0.2.3", agent="")


async def test_an_address_waits_whatever_the_login(database: Database) -> None:
    sessions = Sessions(database, passwords=QUICK)
    for number in range(20):
        with pytest.raises(WrongCredentials):
            await sessions.sign_in(f"login{number}", "wrong", address=f"2001:db8::{number}", agent="")
    with pytest.raises(Throttled):
        await sessions.sign_in("another", "wrong", address="2001:db8::ffff", agent="")
    with pytest.raises(WrongCredentials):
        await sessions.sign_in("another", "wrong", address="2001:db8:1::1", agent="")


async def test_who_signs_in_is_not_counted(database: Database) -> None:
    await Users(database, QUICK).create("anna", PASSWORD, by="tests")
    sessions = Sessions(database, passwords=QUICK)
    for _ in range(4):
        with pytest.raises(WrongCredentials):
            await sessions.sign_in("anna", "wrong", **BROWSER)
    for _ in range(7):
        await sessions.sign_in("anna", PASSWORD, **BROWSER)
    row = await database.fetchrow("SELECT count(*) AS keys, sum(attempts) AS attempts FROM sign_in_attempts")
    assert row
    assert (row["keys"], row["attempts"]) == (1, 4)  # of the address


async def test_the_first_administrator_is_made_once(database: Database) -> None:
    setups = [Setup(database, QUICK), Setup(database, QUICK)]
    codes = [await setup.code("api") for setup in setups]
    assert codes[0]
    assert codes[1]
    assert not await setups[0].knows("another")
    with pytest.raises(SetupRefused):
        await setups[0].redeem("another", "anna", "Anna", PASSWORD)
    with pytest.raises(PasswordRefused):
        await setups[0].redeem(codes[0], "anna", "Anna", "short")
    outcomes = await asyncio.gather(
        setups[0].redeem(codes[0], "anna", "Anna", PASSWORD),
        setups[1].redeem(codes[1], "boris", "Boris", PASSWORD),
        return_exceptions=True,
    )
    assert sum(isinstance(outcome, SetupRefused) for outcome in outcomes) == 1
    (user,) = await Users(database, QUICK).all()
    assert user.role == "admin"
    assert await setups[0].code("api") is None
    assert not await setups[0].needed()
    assert not await setups[0].knows(codes[1])
    (entry,) = await database.fetch("SELECT actor, action, after FROM audit_log")
    assert (entry["actor"], entry["action"]) == (f"user:{user.login}", "create_user")
    assert PASSWORD not in str(entry["after"])
