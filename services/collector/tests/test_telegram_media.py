"""Photos and files of Telegram messages, from real servers into the object store."""

import os
from hashlib import sha256

import pytest
from telethon.tl import types

from collector.adapters import telegram_files
from common.testing import warm
from common.testing.waiting import eventually
from sandbox.demo.pictures import picture

from .conftest import serving

PART_BYTES = 512 * 1024
MOST_BYTES = 20 * 2**20
BROKEN = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x02\x00\x00\x00\x90\x91h6"
LONG_AGO = 1_700_000_000  # an album of now would be waited for


def drawn(number: int) -> bytes:
    """A small picture."""
    return picture(number, 110, 90)


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def file(telegram, content, mime_type, *attributes):
    """A file with attributes, to be posted."""
    return telegram.world.files._add_file(content, mime_type, list(attributes))


async def looked_at(stage, telegram, *media, text="Сообщение с вложением о городских делах", **given):
    """Post media, one message each, and let the collector read them; returns the source."""
    channel = telegram.channel("city_news")
    for position, medium in enumerate(media):
        telegram.world.post(channel, "" if position else text, media=medium, date=LONG_AGO, **given)
    return await stage.source("telegram", "@city_news")


async def only_post(stage):
    """Wait for the only post to go on; returns it with what came of its media."""
    (post,) = await stage.posts(1)
    await stage.idle()
    assert await stage.collected() == [post["id"]]
    return post, await stage.media(post["id"])


async def test_a_type_that_no_record_takes_stops_no_source(stage, telegram, collector) -> None:
    await looked_at(stage, telegram, file(telegram, b"strange", "text/\0" + "x" * 300))
    _, (strange,) = await only_post(stage)
    assert (strange["hash"], strange["mime_type"]) == (digest(b"strange"), ("text/\ufffd" + "x" * 300)[:255])


async def test_a_photo_is_stored_before_its_post_goes_on(stage, telegram, collector) -> None:
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    _, (photo,) = await only_post(stage)
    assert photo["hash"] == digest(drawn(1))
    assert (photo["mime_type"], photo["width"], photo["height"]) == ("image/png", 110, 90)
    assert photo["details"] == {"width": 110, "height": 90}
    assert photo["size_bytes"] == len(drawn(1))
    assert await stage.content(photo["hash"]) == drawn(1)


async def test_the_largest_file_that_is_taken(stage, telegram, collector) -> None:
    content = os.urandom(MOST_BYTES)
    await looked_at(stage, telegram, telegram.world.document(content, "film.bin"))
    _, (film,) = await only_post(stage)
    assert (film["problem"], film["hash"]) == (None, digest(content))
    assert telegram.calls("upload.GetFile") == MOST_BYTES / PART_BYTES


async def test_an_album_of_ten_keeps_its_order(stage, telegram, collector) -> None:
    contents = [drawn(number) for number in range(10)]
    await looked_at(stage, telegram, *map(telegram.world.photo, contents), grouped_id=7)
    _, media = await only_post(stage)
    assert [each["hash"] for each in media] == [digest(content) for content in contents]
    assert {each["mime_type"] for each in media} == {"image/png"}
    assert telegram.calls("channels.GetMessages") == 1


async def test_files_keep_what_is_said_of_them(stage, telegram, collector) -> None:
    report, film = os.urandom(2 * PART_BYTES), os.urandom(PART_BYTES + 1)
    attributes = types.DocumentAttributeVideo(12.5, 640, 360), types.DocumentAttributeFilename("bridge.mp4")
    await looked_at(
        stage,
        telegram,
        telegram.world.document(report, "отчёт.pdf", "application/pdf"),
        file(telegram, film, "video/mp4", *attributes),
        file(telegram, film, "video/mp4", *attributes, types.DocumentAttributeAnimated()),
        file(telegram, b"song", "audio/mpeg", types.DocumentAttributeAudio(200)),
        file(telegram, b"voice", "audio/ogg", types.DocumentAttributeAudio(3, voice=True)),
        grouped_id=7,
    )
    _, media = await only_post(stage)
    assert [each["kind"] for each in media] == ["document", "video", "animation", "audio", "voice"]
    contents = [report, film, film, b"song", b"voice"]
    assert [each["hash"] for each in media] == [digest(content) for content in contents]
    assert [each["mime_type"] for each in media] == ["application/pdf", *["video/mp4"] * 2, "audio/mpeg", "audio/ogg"]
    assert media[0]["details"] == {"name": "отчёт.pdf"}
    assert media[1]["details"] == {"width": 640, "height": 360, "duration_seconds": 12.5, "name": "bridge.mp4"}
    assert await stage.content(media[0]["hash"]) == report


async def test_what_can_not_be_had_is_left_out_with_the_reason(stage, telegram, monkeypatch) -> None:
    monkeypatch.setenv("MEDIA_MAX_BYTES", "50000")
    await looked_at(
        stage,
        telegram,
        telegram.world.document(bytes(50_001), "large.bin"),
        telegram.world.photo(BROKEN),
        file(telegram, b"sticker", "image/webp", types.DocumentAttributeSticker("👍", types.InputStickerSetEmpty())),
        telegram.world.photo(drawn(1)),
        grouped_id=7,
    )
    async with serving():
        _, (large, broken, sticker, photo) = await only_post(stage)
    assert large["problem"] == "its 50,001 bytes are more than 50,000"
    assert broken["problem"].startswith("it is no picture that can be used: ")
    assert sticker["problem"] == "stickers are left out"
    assert (photo["problem"], photo["hash"]) == (None, digest(drawn(1)))
    assert [each["mime_type"] for each in (large, broken, sticker)] == [None] * 3
    assert telegram.calls("upload.GetFile") == 2


async def test_a_flood_wait_is_waited_out_and_told(stage, telegram, collector) -> None:
    telegram.fault("upload.GetFile", "flood_wait", seconds=2)
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    notice = await stage.notice("collector.rate_limited")
    assert notice.title == "Telegram asks to wait 2 s"
    assert await stage.collected() == []
    _, (photo,) = await only_post(stage)
    assert photo["hash"] == digest(drawn(1))
    job = await stage.fetching()
    assert (job["status"], job["excused"]) == ("succeeded", job["attempts"] - 1)


async def test_a_slow_down_in_the_middle_goes_on_there(stage, telegram, collector) -> None:
    content = os.urandom(3 * PART_BYTES + 5)
    telegram.fault("upload.GetFile", "delay")
    telegram.fault("upload.GetFile", "rpc_error", message="FLOOD_PREMIUM_WAIT_1")
    await looked_at(stage, telegram, telegram.world.document(content, "film.bin"))
    _, (film,) = await only_post(stage)
    assert film["hash"] == digest(content)
    assert telegram.calls("upload.GetFile") == 5
    assert (await stage.fetching())["attempts"] == 1


async def test_an_expired_reference_is_read_anew(stage, telegram, collector) -> None:
    telegram.fault("upload.GetFile", "rpc_error", message="FILE_REFERENCE_EXPIRED")
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    _, (photo,) = await only_post(stage)
    assert photo["hash"] == digest(drawn(1))
    assert telegram.calls("channels.GetMessages") == 2
    assert (await stage.fetching())["attempts"] == 1


@pytest.mark.parametrize("kind", ["drop", "rpc_error"])
async def test_trouble_that_passes_costs_an_attempt(stage, telegram, collector, kind) -> None:
    telegram.fault("upload.GetFile", kind, message="RPC_CALL_FAIL")
    await looked_at(stage, telegram, *[telegram.world.photo(drawn(number)) for number in (1, 2)], grouped_id=7)
    _, media = await only_post(stage)
    assert [each["hash"] for each in media] == [digest(drawn(number)) for number in (1, 2)]
    job = await stage.fetching()
    assert (job["status"], job["attempts"], job["excused"]) == ("succeeded", 2, 0)


async def test_trouble_that_does_not_pass_costs_the_medium_not_the_post(stage, telegram, monkeypatch) -> None:
    monkeypatch.setenv("MEDIA_QUEUE_MAX_ATTEMPTS", "2")
    telegram.fault("upload.GetFile", "rpc_error", message="RPC_CALL_FAIL", times=2)
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    async with serving():
        _, (photo,) = await only_post(stage)
    assert (photo["hash"], photo["mime_type"]) == (None, None)
    assert photo["problem"].startswith("RpcCallFailError: ")
    assert (await stage.fetching())["status"] == "succeeded"


async def test_a_message_that_was_deleted_or_changed_meanwhile(stage, telegram, collector) -> None:
    telegram.fault("channels.GetMessages", "flood_wait", seconds=2)
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    await stage.notice("collector.rate_limited")
    (channel,) = telegram.world.chats()
    (message,) = telegram.world.messages(channel.id)
    telegram.world.delete([message])
    post, (photo,) = await only_post(stage)
    assert post["text"] == "Сообщение с вложением о городских делах"
    assert photo["problem"] == f"message {message.id} was deleted"


async def test_a_channel_that_was_closed_meanwhile(stage, telegram, collector) -> None:
    telegram.fault("channels.GetMessages", "rpc_error", message="CHANNEL_PRIVATE")
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    _, (photo,) = await only_post(stage)
    assert photo["problem"].startswith("CHANNEL_PRIVATE: ")


async def test_what_is_fetched_is_not_fetched_again(stage, telegram, collector) -> None:
    source = await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    post, _ = await only_post(stage)
    jobs = [await stage.job(await stage.fetch(post["id"], source)) for _ in range(2)]
    assert [job["status"] for job in jobs] == ["succeeded"] * 2
    await only_post(stage)
    assert telegram.calls("upload.GetFile") == telegram.calls("channels.GetMessages") == 1


async def test_a_kill_in_the_middle_leaves_the_rest_to_the_next(stage, telegram) -> None:
    telegram.fault("upload.GetFile", "delay", seconds=0.4, times=8)
    album = [telegram.world.photo(drawn(number)) for number in range(8)]
    await looked_at(stage, telegram, *album, grouped_id=7)
    process = await warm.start("collector")
    try:

        async def begun() -> bool:
            return bool(await stage.database.strict.fetchval("SELECT count(*) >= 2 FROM media_fetches"))

        await eventually(begun)
    finally:
        process.kill()
        await process.wait()
    fetched = await stage.database.strict.fetchval("SELECT count(*) FROM media_fetches")
    assert 2 <= fetched < 8
    assert await stage.collected() == []
    await stage.database.execute("DELETE FROM leases")  # the session's and the claim's are not waited out here
    await stage.database.execute("UPDATE jobs SET lease_until = now() WHERE status = 'in_progress'")
    async with serving():
        _, media = await only_post(stage)
    assert [each["hash"] for each in media] == [digest(drawn(number)) for number in range(8)]
    assert telegram.calls("upload.GetFile") <= 9
    job = await stage.fetching()
    assert (job["crashes"], job["attempts"] - job["excused"]) == (1, 2)


async def test_a_duplicate_fetches_nothing(stage, telegram, collector) -> None:
    photo = telegram.world.photo(drawn(1))
    for name in ("city_news", "other_news"):
        telegram.world.post(telegram.channel(name, name), "Новый мост открыли сегодня утром", media=photo)
        await stage.source("telegram", f"@{name}")
    posts = await stage.posts(2)
    await stage.idle()
    (original,) = [post["id"] for post in posts if not post["duplicate_of"]]
    assert await stage.collected() == [original]
    assert telegram.calls("upload.GetFile") == 1
    assert [row["post_id"] for row in await stage.database.fetch("SELECT post_id FROM media_fetches")] == [original]


async def test_copies_of_one_photo_are_one_image(stage, telegram, collector) -> None:
    photo = telegram.world.photo(drawn(1))
    for name in ("city_news", "other_news"):
        telegram.world.post(telegram.channel(name, name), f"Своими словами о мосте пишет {name}", media=photo)
        await stage.source("telegram", f"@{name}")
    posts = await stage.posts(2)
    await stage.idle()
    assert sorted(await stage.collected()) == sorted(post["id"] for post in posts)
    assert [image["hash"] for image in await stage.database.fetch("SELECT hash FROM images")] == [digest(drawn(1))]
    assert await stage.database.strict.fetchval("SELECT count(*) FROM attachments") == 2


async def test_a_post_waits_for_a_new_session_as_its_source_does(stage, telegram, monkeypatch) -> None:
    monkeypatch.setattr(telegram_files, "SESSION_DEAD_SECONDS", 0.2)
    telegram.fault("channels.GetMessages", "flood_wait", seconds=2)
    await looked_at(stage, telegram, telegram.world.photo(drawn(1)))
    async with serving():
        await stage.notice("collector.rate_limited")
        telegram.world.revoke_sessions(telegram.reader)

        async def told() -> bool:
            error = (await stage.fetching())["last_error"]
            return bool(error) and "the Telegram session is dead: SESSION_REVOKED" in error

        await eventually(told)
    job = await stage.fetching()
    assert (job["status"], job["excused"]) == ("queued", job["attempts"])
    assert await stage.collected() == []
    session = telegram.world.string_session(telegram.reader, "127.0.0.1", telegram.server.port)
    monkeypatch.setenv("TELETHON_SESSION", session)
    async with serving():
        _, (photo,) = await only_post(stage)
    assert photo["hash"] == digest(drawn(1))


async def test_a_stand_by_leaves_media_to_the_holder(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    async with serving():
        await stage.source("telegram", "@city_news")
        async with serving():
            for number in range(8):
                telegram.world.post(
                    channel, f"Снимок дня за номером {number}", media=telegram.world.photo(drawn(number))
                )
            posts = await stage.posts(8)
            await stage.idle()
    assert sorted(await stage.collected()) == sorted(post["id"] for post in posts)
    assert await stage.database.strict.fetchval("SELECT count(*) FROM attachments") == 8
    assert telegram.calls("upload.GetFile") == 8
