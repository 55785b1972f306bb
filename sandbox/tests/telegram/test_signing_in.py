"""Signing in: by code, by password, by bot token, by a session that was made before."""

import pytest
from telethon import errors, functions, types


async def test_phone_and_code(new_client, alice):
    client = new_client()
    await client.connect()
    assert await client.get_me() is None
    await client.send_code_request(alice.phone)
    with pytest.raises(errors.PhoneCodeInvalidError):
        await client.sign_in(alice.phone, "54321")
    assert (await client.sign_in(alice.phone, "12345")).id == alice.id
    assert (await client.get_me()).username == "alice"


async def test_unknown_phone_would_have_to_sign_up(new_client):
    client = new_client()
    await client.connect()
    await client.send_code_request("+1 555 99")
    with pytest.raises(errors.PhoneNumberUnoccupiedError):
        await client.sign_in("+1 555 99", "12345")


async def test_two_factor_password(new_client, world):
    world.add_user("Carol", phone="155503", password="swordfish")
    client = new_client()
    await client.connect()
    await client.send_code_request("155503")
    with pytest.raises(errors.SessionPasswordNeededError):
        await client.sign_in("155503", "12345")
    with pytest.raises(errors.PasswordHashInvalidError):
        await client.sign_in(password="pike")
    assert (await client.sign_in(password="swordfish")).first_name == "Carol"


async def test_bot_token(new_client, bot):
    client = new_client()
    await client.connect()
    with pytest.raises(errors.AccessTokenInvalidError):
        await client.sign_in(bot_token=f"{bot.id}:wrong")
    me = await client.sign_in(bot_token=bot.token)
    assert (me.id, me.bot) == (bot.id, True)


async def test_a_session_survives_reconnecting(new_client, connect, alice):
    first = await connect(alice)
    saved = first.session.save()
    await first.disconnect()
    second = new_client(saved)
    await second.connect()
    assert (await second.get_me()).id == alice.id


async def test_logging_out(connect, alice):
    client = await connect(alice)
    assert await client.log_out()


async def test_revoked_sessions_are_refused(connect, world, alice):
    client = await connect(alice)
    assert world.revoke_sessions(alice) == 1
    with pytest.raises(errors.SessionRevokedError):
        await client(functions.users.GetUsersRequest([types.InputUserSelf()]))
    with pytest.raises(errors.SessionRevokedError):
        await client.send_message("me", "anybody there?")


async def test_an_unknown_key_is_refused(new_client, connect, world, alice):
    client = await connect(alice)
    session = client.session.save()
    await client.disconnect()
    world.keys._by_id.clear()
    stranger = new_client(session)
    with pytest.raises(errors.AuthKeyNotFound):
        await stranger.connect()
    with pytest.raises(errors.AuthKeyNotFound):
        await stranger.disconnected
