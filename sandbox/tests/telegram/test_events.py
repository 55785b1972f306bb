"""Live events, and catching up after a gap."""

import io
from pathlib import Path

from telethon import TelegramClient, events, functions, types
from telethon.sessions import SQLiteSession, StringSession

JPEG = bytes.fromhex("ffd8ffc0001108") + (200).to_bytes(2, "big") + (320).to_bytes(2, "big") + bytes(600)


def listen(client):
    """Note what a client hears: (kind, text or ids)."""
    heard = []

    async def new(event):
        heard.append(("new", event.raw_text))

    async def edited(event):
        heard.append(("edit", event.raw_text))

    async def deleted(event):
        heard.append(("delete", event.deleted_ids))

    client.add_event_handler(new, events.NewMessage)
    client.add_event_handler(edited, events.MessageEdited)
    client.add_event_handler(deleted, events.MessageDeleted)
    return heard


async def test_new_edited_deleted(connect, eventually, world, alice, bob, news):
    writer, reader = await connect(alice), await connect(bob)
    heard = listen(reader)
    sent = await writer.send_message("newsroom", "one")
    await eventually(lambda: ("new", "one") in heard)
    await writer.edit_message("newsroom", sent, "two")
    await eventually(lambda: ("edit", "two") in heard)
    await writer.delete_messages("newsroom", [sent.id])
    await eventually(lambda: ("delete", [sent.id]) in heard)
    world.post(news, "from the world")
    world.post(bob, "psst", author=alice)
    await eventually(lambda: {("new", "from the world"), ("new", "psst")} <= set(map(tuple, heard[3:])))
    assert len(heard) == 5


async def test_what_the_world_edits_and_deletes(connect, eventually, world, bob, news):
    post = world.post(news, "one")
    heard = listen(await connect(bob))
    edited = world.edit(post, "two")
    await eventually(lambda: heard == [("edit", "two")])
    world.delete([edited])
    await eventually(lambda: heard[1:] == [("delete", [post.id])])
    assert world.messages(news.id) == []


async def test_an_album_comes_as_one(connect, eventually, alice, bob, news):
    writer, reader = await connect(alice), await connect(bob)
    albums = []

    async def album(event):
        albums.append([message.raw_text for message in event.messages])

    reader.add_event_handler(album, events.Album)
    files = [io.BytesIO(JPEG) for _ in range(2)]
    for number, file in enumerate(files):
        file.name = f"{number}.jpg"
    await writer.send_file("newsroom", files, caption=["first", "second"])
    await eventually(lambda: albums == [["first", "second"]])


async def test_one_does_not_hear_oneself_twice(connect, eventually, new_client, world, server, alice, news):
    writer = await connect(alice)
    elsewhere = new_client(world.string_session(alice, "127.0.0.1", server.port, label="other device"))
    await elsewhere.connect()
    heard_here, heard_there = listen(writer), listen(elsewhere)
    await writer.send_message("newsroom", "mine")
    await eventually(lambda: heard_there == [("new", "mine")])
    await writer.get_me()
    assert heard_here == []  # it knows from the answer


async def test_no_updates_for_a_client_that_wants_none(connect, eventually, world, alice, bob, news):
    quiet, other = await connect(bob, receive_updates=False), await connect(alice)
    heard, control = listen(quiet), listen(other)
    world.post(news, "hello")
    await eventually(lambda: control)
    await quiet.get_me()
    assert heard == []


async def test_strangers_hear_nothing(connect, eventually, world, alice, news):
    stranger, member = await connect(world.add_user("Mallory", phone="1")), await connect(alice)
    heard, control = listen(stranger), listen(member)
    world.post(news, "for members")
    await eventually(lambda: control)
    await stranger.get_me()
    assert heard == []


async def test_channel_difference(connect, world, bob, news):
    client = await connect(bob)
    channel = await client.get_input_entity("newsroom")
    start = world.boxes.get(news.id).pts
    kept, changed, gone = (world.post(news, text) for text in ("kept", "changed", "gone"))
    world.edit(changed, "changed!")
    world.delete([gone])

    everything = types.ChannelMessagesFilterEmpty()

    async def difference(pts, limit):
        return await client(functions.updates.GetChannelDifferenceRequest(channel, everything, pts, limit))

    missed = await difference(start, 100)
    assert [message.message for message in missed.new_messages] == ["kept", "changed!"]
    assert [type(update).__name__ for update in missed.other_updates] == [
        "UpdateEditChannelMessage",
        "UpdateDeleteChannelMessages",
    ]
    assert (missed.final, missed.pts) == (True, start + 5)
    part = await difference(start, 1)
    assert (part.final, [message.id for message in part.new_messages]) == (False, [kept.id])
    assert type(await difference(start + 5, 100)).__name__ == "ChannelDifferenceEmpty"


async def test_catching_up_with_a_file_session(
    tmp_path: Path, connect, eventually, world, server, clock, alice, bob, news
):
    string = StringSession(world.string_session(bob, "127.0.0.1", server.port, label="file"))
    file = SQLiteSession(str(tmp_path / "bob"))
    file.set_dc(2, "127.0.0.1", server.port)
    file.auth_key = string.auth_key
    file.save()
    first = TelegramClient(file, 1, "hash")
    heard = listen(first)
    await first.connect()
    await first.get_dialogs()
    world.post(news, "live")
    world.post(bob, "live psst", author=alice)
    await eventually(lambda: len(heard) == 2)
    await first.disconnect()

    world.post(news, "missed")
    world.post(bob, "missed psst", author=alice)
    second = TelegramClient(SQLiteSession(str(tmp_path / "bob")), 1, "hash", catch_up=True)
    heard = listen(second)
    await second.connect()
    try:
        await eventually(lambda: {("new", "missed"), ("new", "missed psst")} <= set(heard))
    finally:
        await second.disconnect()
    assert len(heard) == 2
