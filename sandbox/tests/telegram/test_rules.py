"""What Telegram refuses, the sandbox refuses."""

import struct

import pytest
from telethon import errors, functions, types

from sandbox.telegram.photos import picture_size


@pytest.mark.parametrize("text", ["x" * 4096, "😀" * 2048])
async def test_the_longest_text(connect, alice, news, text):
    client = await connect(alice)
    assert (await client.send_message("newsroom", text)).raw_text == text


@pytest.mark.parametrize(
    ("text", "entities", "refusal"),
    [
        ("x" * 4097, None, errors.MessageTooLongError),
        ("😀" * 2049, None, errors.MessageTooLongError),
        ("", None, errors.MessageEmptyError),
        (" \n ", None, errors.MessageEmptyError),
        ("four", [types.MessageEntityBold(0, 5)], errors.EntityBoundsInvalidError),
        ("four", [types.MessageEntityBold(-1, 2)], errors.EntityBoundsInvalidError),
        ("four", [types.MessageEntityBold(0, 0)], errors.EntityBoundsInvalidError),
        ("😀😀", [types.MessageEntityBold(1, 1)], errors.EntityBoundsInvalidError),
    ],
)
async def test_texts(connect, world, alice, news, text, entities, refusal):
    client = await connect(alice)
    peer = await client.get_input_entity("newsroom")
    with pytest.raises(refusal):
        await client(functions.messages.SendMessageRequest(peer, text, entities=entities))
    assert world.message_count(news.id) == 0


async def test_captions(connect, world, alice, news):
    client = await connect(alice)
    file = await client.upload_file(b"content", file_name="x.txt")
    assert await client.send_file("newsroom", file, caption="x" * 1024)
    with pytest.raises(errors.MediaCaptionTooLongError):
        await client.send_file("newsroom", file, caption="x" * 1025)


async def test_a_photo_must_be_a_picture(connect, alice, news):
    client = await connect(alice)
    peer, file = await client.get_input_entity("newsroom"), await client.upload_file(b"not a picture")
    with pytest.raises(errors.ImageProcessFailedError):
        await client(functions.messages.SendMediaRequest(peer, types.InputMediaUploadedPhoto(file), ""))


def png(width, height, size=100):
    return b"\x89PNG\r\n\x1a\n" + bytes(8) + width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes(size)


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (png(9000, 1001), errors.PhotoInvalidDimensionsError),
        (png(2001, 100), errors.PhotoInvalidDimensionsError),
        (png(100, 100, 10 * 2**20), errors.PhotoSaveFileInvalidError),
        (b"GIF89a" + bytes(100), errors.ImageProcessFailedError),
    ],
)
async def test_a_photo_has_its_limits(connect, alice, news, content, error):
    client = await connect(alice)
    peer, file = await client.get_input_entity("newsroom"), await client.upload_file(content)
    with pytest.raises(error):
        await client(functions.messages.SendMediaRequest(peer, types.InputMediaUploadedPhoto(file), ""))


async def test_a_file_of_more_than_ten_megabytes_goes_the_way_of_big_ones(connect, alice, news):
    client = await connect(alice)
    peer, part = await client.get_input_entity("newsroom"), bytes(512 * 1024)
    for number in range(21):
        await client(functions.upload.SaveBigFilePartRequest(7, number, 21, part))
    with pytest.raises(errors.FilePartsInvalidError):
        await client(functions.upload.SaveBigFilePartRequest(7, 21, 21, part))

    def sent_as(file):
        media = types.InputMediaUploadedDocument(file, "application/pdf", [])
        return functions.messages.SendMediaRequest(peer, media, "")

    with pytest.raises(errors.FilePartsInvalidError):
        await client(sent_as(types.InputFile(7, 21, "a.pdf", "")))
    await client(sent_as(types.InputFileBig(7, 21, "a.pdf")))
    (message,) = await client.get_messages("newsroom", limit=1)
    assert message.file.size == 21 * len(part)


VIDEO, SONG = types.DocumentAttributeVideo(1.0, 10, 10), types.DocumentAttributeAudio(1)
VOICE, ANIMATED = types.DocumentAttributeAudio(1, voice=True), types.DocumentAttributeAnimated()


@pytest.mark.parametrize(
    ("album", "taken"),
    [
        ([None, VIDEO], True),
        ([SONG, SONG], True),
        ([types.DocumentAttributeFilename("a")] * 2, True),
        ([None, types.DocumentAttributeFilename("a")], False),
        ([VIDEO, SONG], False),
        ([VOICE, VOICE], False),
        ([ANIMATED, ANIMATED], False),
    ],
)
async def test_what_an_album_may_hold(connect, alice, world, news, album, taken):
    client = await connect(alice)
    peer, items = await client.get_input_entity("newsroom"), []
    for number, attribute in enumerate(album, 1):
        file = await client.upload_file(png(10, 10))
        if attribute is None:
            kept = await client(functions.messages.UploadMediaRequest(peer, types.InputMediaUploadedPhoto(file)))
            media = types.InputMediaPhoto(types.InputPhoto(kept.photo.id, kept.photo.access_hash, b""))
        else:
            sent = types.InputMediaUploadedDocument(file, "application/x", [attribute])
            kept = (await client(functions.messages.UploadMediaRequest(peer, sent))).document
            media = types.InputMediaDocument(types.InputDocument(kept.id, kept.access_hash, b""))
        items.append(types.InputSingleMedia(media, "", number))
    sending = client(functions.messages.SendMultiMediaRequest(peer, items))
    if taken:
        await sending
    else:
        with pytest.raises(errors.MediaGroupedInvalidError):
            await sending
    assert world.message_count(news.id) == (len(album) if taken else 0)


@pytest.mark.parametrize(
    ("kind", "head", "size"),
    [
        (b"VP8 ", bytes(10) + struct.pack("<HH", 300, 200), (300, 200)),
        (b"VP8L", bytes(5) + (299 | 199 << 14).to_bytes(4, "little"), (300, 200)),
        (b"VP8X", bytes(8) + (299).to_bytes(3, "little") + (199).to_bytes(3, "little"), (300, 200)),
        (b"ABCD", bytes(20), None),
    ],
)
def test_the_size_of_a_webp(kind, head, size):
    assert picture_size(b"RIFF" + bytes(4) + b"WEBP" + kind + head) == size


async def test_only_admins_post_in_a_channel(connect, bob, news):
    client = await connect(bob)
    with pytest.raises(errors.ChatAdminRequiredError):
        await client.send_message("newsroom", "me too")


async def test_groups(connect, world, alice, bob):
    group = world.add_channel("Talk", "talk", alice, "megagroup")
    client = await connect(bob)
    with pytest.raises(errors.ChatWriteForbiddenError):
        await client.send_message("talk", "not in yet")
    world.add_member(group, bob)
    assert await client.send_message("talk", "in")
    world.mute(group, bob)
    with pytest.raises(errors.UserBannedInChannelError):
        await client.send_message("talk", "muted")
    world.ban(group, bob)
    with pytest.raises(errors.ChannelPrivateError):
        await client.send_message("talk", "thrown out")


async def test_a_private_channel_is_closed_to_strangers(connect, world, alice, bob):
    hidden = world.add_channel("Hidden", None, alice, members=[bob])
    client = await connect(bob)
    await client.get_dialogs()
    world.remove_member(hidden, bob)
    with pytest.raises(errors.ChannelPrivateError):
        await client.get_messages(hidden.id)


async def test_slow_mode(connect, world, clock, alice, bob):
    group = world.add_channel("Slow", "slow", alice, "megagroup", members=[bob])
    world.set_slow_mode(group, 30)
    client = await connect(bob)
    await client.send_message("slow", "one")
    clock.now += 10.5
    with pytest.raises(errors.SlowModeWaitError) as refused:
        await client.send_message("slow", "two")
    assert refused.value.seconds == 20
    clock.now += 20
    assert await client.send_message("slow", "two")


async def test_bots_may_not_read_history(connect, world, bot, news):
    post = world.post(news, "first")
    client = await connect(bot)
    for call in (
        client.get_messages("newsroom", limit=1),
        client.get_messages("newsroom", search="first"),
        client.get_dialogs(),
    ):
        with pytest.raises(errors.BotMethodInvalidError):
            await call
    assert (await client.get_messages("newsroom", ids=post.id)).raw_text == "first"


async def test_a_bot_cannot_begin_a_conversation(connect, world, bot, bob):
    client = await connect(bot)
    with pytest.raises(errors.PeerIdInvalidError):
        await client.send_message("bob", "hello?")
    world.post(bot, "/start", author=bob)
    assert await client.send_message("bob", "hello!")


class TestRates:
    @pytest.fixture(autouse=True)
    def real(self, world):
        world.limits = "real"

    async def test_one_a_second_in_a_chat_after_a_short_burst(self, connect, clock, bot, news):
        client = await connect(bot)
        for number in range(3):
            await client.send_message("newsroom", f"{number}")
        with pytest.raises(errors.FloodWaitError) as refused:
            await client.send_message("newsroom", "too soon")
        assert refused.value.seconds == 3
        client._flood_waited_requests.clear()
        clock.now += 3
        assert await client.send_message("newsroom", "in time")

    async def test_twenty_a_minute_in_a_group(self, connect, world, clock, alice, bot):
        world.add_channel("Talk", "talk", alice, "megagroup", members=[bot])
        client = await connect(bot)
        for number in range(20):
            await client.send_message("talk", f"{number}")
            clock.now += 1
        with pytest.raises(errors.FloodWaitError) as refused:
            await client.send_message("talk", "too many")
        assert refused.value.seconds == 40

    async def test_thirty_a_second_overall(self, connect, world, alice, bot):
        for number in range(11):
            world.add_channel(f"Channel {number}", f"channel{number}", alice, admins=[bot])
        client = await connect(bot)
        for number in range(30):
            await client.send_message(f"channel{number // 3}", "x")
        with pytest.raises(errors.FloodWaitError) as refused:
            await client.send_message("channel10", "x")
        assert refused.value.seconds == 1

    async def test_people_are_not_limited(self, connect, alice, news):
        client = await connect(alice)
        for number in range(5):
            assert await client.send_message("newsroom", f"{number}")


async def test_a_method_that_is_not_there(connect, alice, caplog):
    client = await connect(alice)
    with pytest.raises(errors.MethodInvalidError):
        await client(functions.help.GetSupportRequest())
    assert "help.GetSupport" in caplog.text


async def test_a_bug_is_answered_and_logged(connect, world, alice, news, caplog, monkeypatch):
    client = await connect(alice, request_retries=0)
    monkeypatch.setattr(world.mail, "count", lambda *_: 1 / 0)
    with pytest.raises(errors.RPCError, match="INTERNAL"):
        await client.get_messages("newsroom")
    assert "ZeroDivisionError" in caplog.text
