"""Reading Telegram channels on real servers."""

from datetime import UTC, datetime

import pytest
from telethon.tl import types

from common.testing.waiting import eventually

pytestmark = pytest.mark.usefixtures("collector")

# The smallest picture that counts as one: the sandbox looks at the first bytes only.
PICTURE = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00\x00\x10\x00\x00\x00\x10\x08\x02\x00\x00\x00\x90\x91h6"


async def test_a_new_source_is_read_back_and_then_live(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    first = telegram.world.post(channel, "Новый мост открыли сегодня утром", [types.MessageEntityBold(0, 10)])
    telegram.world.post(channel, "Второе сообщение о городских делах")
    source = await stage.source("telegram", "@city_news")
    one, two = await stage.posts(2)  # without a request: the collector found the source in the catalog
    assert (one["text"], one["external_id"]) == ("Новый мост открыли сегодня утром", str(first.id))
    assert one["entities"] == [{"kind": "bold", "offset": 0, "length": 10}]
    assert one["url"] == f"https://t.me/city_news/{first.id}"
    assert one["posted_at"] == datetime.fromtimestamp(int(first.date), UTC)
    telegram.world.post(channel, "Третье сообщение, и оно пришло само")
    *_, three = await stage.posts(3)
    await stage.idle()
    assert await stage.collected() == [one["id"], two["id"], three["id"]]
    assert (await stage.state(source))["last_message_id"] == int(three["external_id"])


async def test_an_album_is_one_post(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    photo = telegram.world.photo(PICTURE)
    world = telegram.world
    await stage.source("telegram", "@city_news")
    for text in ("Альбом о новом мосте через реку", "", "Конец альбома"):
        looks = telegram.calls("messages.GetHistory")
        world.post(channel, text, media=photo, grouped_id=77)

        async def looked(before: int = looks) -> bool:
            return telegram.calls("messages.GetHistory") > before

        await eventually(looked)  # they arrive one by one, while the collector looks for more of them
    world.post(channel, "Отдельное сообщение после альбома")
    album, single = await stage.posts(2)
    assert album["text"] == "Альбом о новом мосте через реку\n\nКонец альбома"
    media = await stage.database.fetch("SELECT * FROM post_media WHERE post_id = $1 ORDER BY position", album["id"])
    assert [item["kind"] for item in media] == ["photo"] * 3
    assert [item["reference"]["message_id"] for item in media] == [
        int(album["external_id"]) + offset for offset in range(3)
    ]
    assert media[0]["content_hash"].startswith("telegram-photo:")
    assert single["text"] == "Отдельное сообщение после альбома"


async def test_a_channel_that_forbids_saving_is_refused_visibly(stage, telegram) -> None:
    channel = telegram.channel("secret_news")
    telegram.world.set_noforwards(channel)
    telegram.world.post(channel, "Это нельзя копировать никому и никогда")
    source = await stage.source("telegram", "@secret_news", title="Secret news")
    notice = await stage.notice("collector.source_unreadable")
    assert notice.title == "Secret news: the channel forbids saving its content, so it is not read"
    await stage.idle()
    state = await stage.state(source)
    assert state["last_error"] == "the channel forbids saving its content, so it is not read"
    assert state["failures"] >= 1
    assert await stage.posts() == []
    telegram.world.set_noforwards(channel, False)
    assert (await stage.collect(source))["status"] == "succeeded"
    assert len(await stage.posts()) == 1
    assert (await stage.state(source))["last_error"] is None


async def test_a_message_that_may_not_be_saved_is_left_out_visibly(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    telegram.world.post(channel, "Это можно копировать сколько угодно раз")
    secret = telegram.world.post(channel, "А вот это копировать совсем нельзя", noforwards=True)
    await stage.source("telegram", "@city_news")
    notice = await stage.notice("collector.content_refused")
    assert f"messages that may not be saved: {secret.id}" in notice.detail
    assert [post["text"] for post in await stage.posts(1)] == ["Это можно копировать сколько угодно раз"]


async def test_equal_posts_of_two_sources_are_one(stage, telegram) -> None:
    one, two = telegram.channel("city_news"), telegram.channel("other_news", "Other")
    telegram.world.post(one, "Новый мост открыли сегодня утром")
    telegram.world.post(two, "НОВЫЙ МОСТ открыли  сегодня утром")
    await stage.source("telegram", "@city_news")
    await stage.source("telegram", "@other_news")
    posts = await stage.posts(2)
    (duplicate,) = [post for post in posts if post["duplicate_of"]]
    (original,) = [post for post in posts if not post["duplicate_of"]]
    assert duplicate["duplicate_of"] == original["id"]
    await stage.idle()
    assert await stage.collected() == [original["id"]]


async def test_an_unknown_channel_is_told_once(stage, telegram) -> None:
    source = await stage.source("telegram", "@nobody_here")
    await stage.notice("collector.source_unreadable")
    assert (await stage.collect(source))["status"] == "succeeded"
    await stage.idle()
    assert len(stage.told["notify.requested"]) == 1
    assert (await stage.state(source))["last_error"] == "there is no @nobody_here on Telegram"


async def test_a_flood_wait_is_waited_out_and_told(stage, telegram) -> None:
    slow, quick = telegram.channel("slow_news"), telegram.channel("quick_news", "Quick")
    telegram.world.post(slow, "Это сообщение придётся подождать")
    telegram.world.post(quick, "А это сообщение ждать не придётся")
    telegram.fault("messages.GetHistory", "flood_wait", seconds=2, chat=slow.id)
    source = await stage.source("telegram", "@slow_news")
    await stage.source("telegram", "@quick_news")
    notice = await stage.notice("collector.rate_limited")
    assert notice.title == "Telegram asks to wait 2 s"
    assert [post["text"] for post in await stage.posts(1)] == ["А это сообщение ждать не придётся"]
    assert len(await stage.posts(2)) == 2
    await stage.idle()
    jobs = await stage.database.fetch("SELECT * FROM jobs WHERE status <> 'succeeded'")
    assert jobs == []
    assert (await stage.state(source))["last_error"] is None


async def test_a_revoked_session_ends_jobs_with_the_reason(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    telegram.world.post(channel, "Сообщение до того, как сессия умерла")
    source = await stage.source("telegram", "@city_news")
    await stage.posts(1)
    telegram.world.revoke_sessions(telegram.reader)
    job = await stage.collect(source)
    assert (job["status"], job["attempts"]) == ("failed", 1)
    assert job["last_error"].startswith("Reject: the Telegram session is dead: SESSION_REVOKED")
    notice = await stage.notice("collector.session_dead")
    assert notice.severity == "error"
    assert "SESSION_REVOKED" in (await stage.state(source))["last_error"]


async def test_a_connection_that_is_lost_is_made_again(stage, telegram) -> None:
    channel = telegram.channel("city_news")
    telegram.world.post(channel, "Сообщение до обрыва соединения")
    source = await stage.source("telegram", "@city_news")
    await stage.posts(1)
    await stage.idle()
    telegram.fault("users.GetUsers", "drop", times=2)
    telegram.world.post(channel, "Сообщение во время обрыва соединения")
    assert (await stage.collect(source))["status"] == "succeeded"
    assert len(await stage.posts(2)) == 2


async def test_a_private_channel_is_read_by_its_id(stage, telegram) -> None:
    channel = telegram.channel(None, "Private news")
    message = telegram.world.post(channel, "Сообщение из закрытого канала")
    await stage.source("telegram", str(channel.id))
    (post,) = await stage.posts(1)
    assert post["url"] == f"https://t.me/c/{channel.bare_id}/{message.id}"


async def test_a_source_that_is_gone_is_skipped(stage, telegram) -> None:
    source = await stage.source("feed", "https://example.com/feed")
    await stage.database.execute("UPDATE sources SET enabled = false")
    job = await stage.collect(source)
    assert (job["status"], job["last_error"]) == ("cancelled", "Skip: the source is switched off")
