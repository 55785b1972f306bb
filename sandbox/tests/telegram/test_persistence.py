"""What outlives the sandbox."""

import asyncio
import subprocess
import sys
import textwrap
from pathlib import Path

from telethon import TelegramClient, functions
from telethon.crypto import rsa
from telethon.sessions import StringSession

from sandbox.faults import Faults
from sandbox.telegram import Store, TelegramServer, World

HOST = "127.0.0.1"


async def client_of(server, session):
    rsa._server_keys.clear()
    rsa.add_key(server.public_key_pem, old=False)
    kept = StringSession(session)
    kept.set_dc(2, HOST, server.port)
    client = TelegramClient(kept, 1, "hash")
    await client.connect()
    return client


def people(world):
    alice = world.add_user("Alice", phone="1", username="alice", password="swordfish")
    bot = world.add_bot("Courier", "courier_bot")
    return alice, bot, world.add_channel("News", "newsroom", alice, admins=[bot])


async def test_a_restart(tmp_path: Path):
    path = tmp_path / "telegram.db"
    with Store(path) as store:
        world = World(store)
        alice, bot, news = people(world)
        world.set_slow_mode(news, 5)
        server = TelegramServer(world, Faults())
        await server.start()
        key, token = server.public_key_pem, bot.token
        session = world.string_session(alice, HOST, server.port)
        client = await client_of(server, session)
        peer = await client.get_input_entity("newsroom")
        request = functions.messages.SendMessageRequest(peer, "**as is**", random_id=5)
        first = await client(request)
        picture = await client.send_file("newsroom", b"content of a file", caption="file")
        pts = world.boxes.get(news.id).pts
        await client.disconnect()
        await server.stop()

    with Store(path) as store:
        world = World(store)
        alice, bot, news = people(world)
        assert (len(world.users()), len(world.chats()), bot.token) == (2, 1, token)
        assert (news.slow_mode, news.admins, alice.password is not None) == (5, {alice.id, bot.id}, True)
        server = TelegramServer(world, Faults())
        await server.start()
        assert server.public_key_pem == key
        client = await client_of(server, session)
        assert (await client.get_me()).id == alice.id
        again = await client(request)  # its access hash still opens the channel
        assert (again.updates[0].id, again.updates[1].pts, again.updates[1].pts_count) == (first.updates[0].id, pts, 0)
        seen = await client.get_messages("newsroom", limit=5)
        assert [message.raw_text for message in seen] == ["file", "**as is**"]
        assert await client.download_media(seen[0], bytes) == b"content of a file"
        assert (await client.send_message("newsroom", "next")).id == picture.id + 1
        await client.disconnect()
        await server.stop()


async def test_what_was_acknowledged_survives_a_kill(tmp_path: Path):
    path = tmp_path / "telegram.db"
    program = """
        import asyncio, sys
        from pathlib import Path
        from sandbox.faults import Faults
        from sandbox.telegram import Store, TelegramServer, World

        async def main():
            world = World(Store(Path(sys.argv[1])))
            alice = world.add_user("Alice", username="alice")
            world.add_channel("News", "newsroom", alice)
            server = TelegramServer(world, Faults())
            await server.start()
            print(server.port, world.string_session(alice, "127.0.0.1", server.port), flush=True)
            print(server.public_key_pem, end="", flush=True)
            await asyncio.sleep(60)

        asyncio.run(main())
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", textwrap.dedent(program), path, stdout=subprocess.PIPE
    )
    try:
        _, session = (await process.stdout.readline()).decode().split()
        pem = (await process.stdout.readuntil(b"-----END RSA PUBLIC KEY-----\n")).decode()
        rsa._server_keys.clear()
        rsa.add_key(pem, old=False)
        client = TelegramClient(StringSession(session), 1, "hash", connection_retries=0, auto_reconnect=False)
        await client.connect()
        acknowledged = [(await client.send_message("newsroom", f"{number}")).id for number in range(20)]
        process.kill()
    finally:
        await process.communicate()
    await client.disconnect()
    with Store(path) as store:
        world = World(store)
        news = world.find_chat("newsroom")
        assert [message.id for message in world.messages(news.id)] == acknowledged


def test_in_memory_leaves_no_file(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with Store() as store:
        people(World(store))
    assert list(tmp_path.iterdir()) == []
