"""Injected faults, and sessions that die."""

import asyncio
import subprocess
import sys
import textwrap

import pytest
from telethon import errors, functions, types

SEND = "messages.SendMessage"


@pytest.fixture
async def sender(connect, alice, news):
    """A client that shows every error at once."""
    client = await connect(alice, request_retries=0)
    client.peer = await client.get_input_entity("newsroom")
    return client


def request(sender, text="hello", random_id=7):
    return functions.messages.SendMessageRequest(sender.peer, text, random_id=random_id)


async def whoami(client):
    return await client(functions.users.GetUsersRequest([types.InputUserSelf()]))


@pytest.mark.parametrize(
    ("message", "error", "code"),
    [
        ("PEER_FLOOD", errors.PeerFloodError, 400),
        ("CHAT_WRITE_FORBIDDEN", errors.ChatWriteForbiddenError, 403),
        ("USER_DEACTIVATED_BAN", errors.UserDeactivatedBanError, 401),
        ("FLOOD_WAIT_9", errors.FloodWaitError, 420),
    ],
)
async def test_rpc_error(sender, fail, world, news, message, error, code):
    fail(SEND, "rpc_error", message=message)
    with pytest.raises(error) as refused:
        await sender(request(sender))
    assert abs(refused.value.code) == code
    assert world.message_count(news.id) == 0
    sender._flood_waited_requests.clear()
    assert await sender(request(sender))


async def test_only_for_the_account_and_chat_that_are_meant(sender, fail, world, alice, bob, news):
    fail(SEND, "rpc_error", message="PEER_FLOOD", account=bob.id)
    fail(SEND, "rpc_error", message="PEER_FLOOD", account=alice.id, chat=bob.id)
    assert await sender.send_message("newsroom", "elsewhere")
    with pytest.raises(errors.PeerFloodError):
        await sender.send_message("bob", "there")


async def test_a_flood_wait_stays_in_force(sender, fail, clock, world, news):
    fail(SEND, "flood_wait", seconds=100)
    for passed, remaining in ((0, 100), (40, 60)):
        clock.now += passed
        sender._flood_waited_requests.clear()
        with pytest.raises(errors.FloodWaitError) as refused:
            await sender(request(sender))
        assert refused.value.seconds == remaining
    sender._flood_waited_requests.clear()
    assert await sender.send_message("me", "another chat")
    clock.now += 60
    assert await sender(request(sender))


async def test_slow_mode(sender, fail):
    fail(SEND, "slow_mode", seconds=30)
    with pytest.raises(errors.SlowModeWaitError):
        await sender(request(sender))


async def test_a_lost_answer(sender, fail, world, news):
    fail(SEND, "lost_answer")
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(sender(request(sender)), 0.2)
    assert [message.text for message in world.messages(news.id)] == ["hello"]
    await sender(request(sender))
    assert world.message_count(news.id) == 1


@pytest.mark.parametrize("kind", ["drop", "drop_after"])
async def test_a_dropped_connection(sender, fail, server, world, news, kind):
    fail(SEND, kind)
    sent = await sender(request(sender))  # Telethon reconnects and repeats it
    assert server.calls()[SEND] == 2
    assert [message.text for message in world.messages(news.id)] == ["hello"]
    assert sent.updates[1].pts_count == (1 if kind == "drop" else 0)


async def test_a_delay(sender, fail, world, news):
    fail(SEND, "delay", seconds=0.1)
    sending = asyncio.create_task(sender(request(sender)))
    await sender.get_me()
    assert not sending.done()
    assert world.message_count(news.id) == 0
    await sending


@pytest.mark.parametrize("before", [False, True])
async def test_a_duplicate(sender, fail, world, news, before):
    if before:
        await sender(request(sender))
    fail(SEND, "random_id_duplicate")
    with pytest.raises(errors.RandomIdDuplicateError):
        await sender(request(sender))
    assert world.message_count(news.id) == 1


async def test_revoked(sender, fail):
    fail(SEND, "revoke")
    for call in (sender(request(sender)), whoami(sender)):
        with pytest.raises(errors.SessionRevokedError):
            await call


async def test_destroyed(sender, fail):
    fail("*", "auth_key_duplicated")
    for call in (sender(request(sender)), whoami(sender)):
        with pytest.raises(errors.AuthKeyDuplicatedError):
            await call


async def test_an_unknown_kind_is_said(sender, fail):
    fail(SEND, "gremlins")
    with pytest.raises(errors.RPCError, match="SANDBOX_FAULT_UNKNOWN_GREMLINS"):
        await sender(request(sender))


async def test_one_session_in_two_places_dies(connect, new_client, world, server, alice, news):
    first = await connect(alice)
    second = new_client(first.session.save())
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await second.connect()
    for client in (first, second):
        with pytest.raises(errors.AuthKeyDuplicatedError):
            await whoami(client)
    await first.disconnect()
    await second.disconnect()
    later = new_client(first.session.save())
    with pytest.raises(errors.AuthKeyDuplicatedError):
        await later.connect()
    fresh = await connect(alice)
    assert (await fresh.get_me()).id == alice.id


async def test_reconnecting_is_no_duplicate(connect, new_client, server, alice):
    client = await connect(alice)
    for _ in range(5):
        for connection in tuple(server.sessions.connections):
            connection.abort()
        assert await whoami(client)
    for _ in range(5):
        session = client.session.save()
        await client.disconnect()
        client = new_client(session)
        await client.connect()
        assert await whoami(client)


async def test_taking_over_from_a_killed_process_is_no_duplicate(new_client, server, world, alice):
    session = world.string_session(alice, "127.0.0.1", server.port)
    program = """
        import asyncio, sys
        from telethon import TelegramClient
        from telethon.sessions import StringSession

        async def main():
            client = TelegramClient(StringSession(sys.argv[1]), 1, "hash")
            await client.connect()
            print(await client.get_me() is not None, flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), session, stdout=subprocess.PIPE
    )
    try:
        assert (await process.stdout.readline()).strip() == b"True"
        process.kill()
        await process.wait()  # until then its connection may live
        heir = new_client(session)
        await heir.connect()
        assert (await heir.get_me()).id == alice.id
    finally:
        await process.communicate()
