"""Sending, reading, editing, deleting, forwarding."""

import io

import pytest
from telethon import errors, functions, types

from sandbox.web.views import bubbles

JPEG = bytes.fromhex("ffd8ffc0001108") + (200).to_bytes(2, "big") + (320).to_bytes(2, "big") + bytes(600)


def picture(name="a.jpg"):
    file = io.BytesIO(JPEG + name.encode())
    file.name = name
    return file


async def test_send_and_read(connect, alice, bob, news):
    sender, reader = await connect(alice), await connect(bob)
    sent = await sender.send_message(
        "newsroom", "<b>Hello</b> 😀 <a href='https://example.com'>there</a>", parse_mode="html"
    )
    (read,) = await reader.get_messages("newsroom", limit=5)
    assert (read.id, read.raw_text) == (sent.id, "Hello 😀 there")
    assert [(type(e).__name__, e.offset, e.length) for e in read.entities] == [
        ("MessageEntityBold", 0, 5),
        ("MessageEntityTextUrl", 9, 5),
    ]
    assert read.post
    assert (sent.out, read.out) == (True, False)


async def test_paging(connect, world, alice, news):
    for number in range(1, 251):
        world.post(news, f"post {number}")
    client = await connect(alice)
    assert [m.id async for m in client.iter_messages("newsroom")] == list(range(250, 0, -1))
    assert [m.id async for m in client.iter_messages("newsroom", min_id=120, reverse=True)] == list(range(121, 251))
    assert [m.id async for m in client.iter_messages("newsroom", offset_id=50, limit=3)] == [49, 48, 47]
    assert [m.id async for m in client.iter_messages("newsroom", limit=2, add_offset=5)] == [245, 244]
    assert [m.id async for m in client.iter_messages("newsroom", search="POST 24", limit=3)] == [249, 248, 247]
    assert (await client.get_messages("newsroom", limit=0)).total == 250
    assert await client.get_messages("newsroom", ids=[7, 999]) == [
        await client.get_messages("newsroom", ids=7),
        None,
    ]


async def test_photo_and_download(connect, alice, bob, news):
    sender, reader = await connect(alice), await connect(bob)
    sent = await sender.send_file("newsroom", picture(), caption="*look*")
    seen = await reader.get_messages("newsroom", ids=sent.id)
    assert (seen.photo.sizes[0].w, seen.photo.sizes[0].h) == (320, 200)
    assert await reader.download_media(seen, bytes) == picture().getvalue()


async def test_document_in_several_parts(connect, alice, news):
    client = await connect(alice)
    content = bytes(range(256)) * 1200
    sent = await client.send_file(
        "newsroom", io.BytesIO(content), attributes=[types.DocumentAttributeFilename("x.bin")]
    )
    assert sent.file.name == "x.bin"
    assert await client.download_media(sent, bytes) == content


async def test_album(connect, alice, bob, news):
    sender, reader = await connect(alice), await connect(bob)
    album = await sender.send_file("newsroom", [picture("b.jpg"), picture("c.jpg")], caption=["one", "two"])
    seen = await reader.get_messages("newsroom", limit=2)
    assert [m.raw_text for m in reversed(seen)] == ["one", "two"]
    assert {m.grouped_id for m in seen} == {album[0].grouped_id}
    assert await reader.download_media(seen[0], bytes) == picture("c.jpg").getvalue()


async def test_edit_and_delete(connect, alice, bob, news):
    editor, reader = await connect(alice), await connect(bob)
    sent = await editor.send_message("newsroom", "draft")
    edited = await editor.edit_message("newsroom", sent.id, "**final**")
    assert edited.edit_date
    assert (await reader.get_messages("newsroom", ids=sent.id)).text == "**final**"
    with pytest.raises(errors.MessageNotModifiedError):
        await editor.edit_message("newsroom", sent.id, "**final**")
    with pytest.raises(errors.MessageAuthorRequiredError):
        await reader.edit_message("newsroom", sent.id, "mine")
    with pytest.raises(errors.MessageDeleteForbiddenError):
        await reader.delete_messages("newsroom", sent.id)
    await editor.delete_messages("newsroom", sent.id)
    assert await reader.get_messages("newsroom", ids=sent.id) is None


async def test_forward(connect, world, alice, news):
    copies = world.add_channel("Copies", "copies", alice)
    client = await connect(alice)
    original = world.post(news, "as it was")
    forwarded = await client.forward_messages("copies", original.id, "newsroom")
    assert forwarded.raw_text == "as it was"
    assert forwarded.fwd_from.channel_post == original.id
    world.set_noforwards(news)
    with pytest.raises(errors.ChatForwardsRestrictedError):
        await client.forward_messages("copies", original.id, "newsroom")
    assert (await client.get_entity("newsroom")).noforwards
    assert world.message_count(copies.id) == 1


async def test_a_forwarded_album_is_an_album_of_its_own(connect, world, alice, bob, news):
    copies = world.add_channel("Copies", "copies", alice)
    client = await connect(alice)
    album = await client.send_file("newsroom", [picture("b.jpg"), picture("c.jpg")], caption="two")
    forwarded = await client.forward_messages("copies", album)
    [group] = {message.grouped_id for message in forwarded}
    assert group
    assert group != album[0].grouped_id
    [bubble] = bubbles(world, world.messages(copies.id))
    assert (len(bubble.seen), bubble.forwarded_from) == (2, news.title)
    await (await connect(bob)).send_message("alice", "psst")
    await client.forward_messages("copies", await client.get_messages("bob", limit=1))
    assert bubbles(world, world.messages(copies.id))[-1].forwarded_from == bob.name


async def test_private_chat(connect, world, alice, bob):
    sender, reader = await connect(alice), await connect(bob)
    sent = await sender.send_message("bob", "psst")
    (read,) = await reader.get_messages("alice")
    assert (read.raw_text, read.out, read.sender_id) == ("psst", False, alice.id)
    await sender.edit_message("bob", sent, "psst!")
    assert (await reader.get_messages("alice"))[0].raw_text == "psst!"
    await sender.delete_messages("bob", sent)
    assert await reader.get_messages("alice") == []
    note = await sender.send_message("me", "note to self")
    assert [m.id for m in await sender.get_messages("me", limit=5)] == [note.id]
    assert world.messages(alice.id, of=alice)[0].text == "note to self"


async def test_basic_group(connect, world, alice, bob):
    group = world.add_channel("Friends", None, alice, "group", members=[bob])
    sender, reader = await connect(alice), await connect(bob)
    await sender.send_message("me", "so that ids differ")
    await sender.send_message(group.id, "hi all")
    (read,) = await reader.get_messages(group.id)
    assert (read.raw_text, read.is_group, read.chat.title) == ("hi all", True, "Friends")
    assert [m.text for m in world.messages(group.id)] == ["hi all"]
    world.set_read_only(group)
    with pytest.raises(errors.ChatWriteForbiddenError):
        await reader.send_message(group.id, "may I?")


async def test_dialogs(connect, world, alice, bob, news):
    world.post(bob, "hello Bob", author=alice)
    world.post(news, "today")
    client = await connect(bob)
    assert {(d.name, d.message.text) async for d in client.iter_dialogs()} == {
        ("Alice", "hello Bob"),
        ("News", "today"),
    }


async def test_a_repeated_random_id_gets_the_original(connect, world, alice, news):
    client = await connect(alice)
    peer = await client.get_input_entity("newsroom")
    request = functions.messages.SendMessageRequest(peer, "once", random_id=42)
    first, again = await client(request), await client(request)
    assert first.updates[0].id == again.updates[0].id
    assert (first.updates[1].pts_count, again.updates[1].pts_count) == (1, 0)
    assert world.message_count(news.id) == 1
    world.duplicates = "error"
    client._request_retries = 0
    with pytest.raises(errors.RandomIdDuplicateError):
        await client(request)
    assert world.message_count(news.id) == 1


async def test_an_access_hash_is_each_accounts_own(connect, alice, bob, news):
    mine, yours = await connect(alice), await connect(bob)
    with pytest.raises(errors.ChannelInvalidError):
        await yours.send_message(await mine.get_input_entity("newsroom"), "with a borrowed key")


async def test_channel_management(connect, world, alice, bob, bot):
    client, other = await connect(alice), await connect(bob)
    created = await client(functions.channels.CreateChannelRequest("Fresh", "about", megagroup=True))
    chat = created.chats[0]
    await client(functions.channels.UpdateUsernameRequest(chat, "fresh"))
    with pytest.raises(errors.UsernameOccupiedError):
        await client(functions.channels.UpdateUsernameRequest(chat, "courier_bot"))
    await other(functions.channels.JoinChannelRequest("fresh"))
    assert (await other.get_permissions("fresh", "me")).is_admin is False
    assert {user.username async for user in client.iter_participants("fresh")} == {"alice", "bob"}
    assert (await other(functions.channels.GetFullChannelRequest("fresh"))).full_chat.participants_count == 2
    await other(functions.channels.LeaveChannelRequest("fresh"))
    assert bob.id not in world.find_chat("fresh").members
