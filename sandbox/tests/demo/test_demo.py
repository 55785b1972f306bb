"""The demo content, and what trickles in."""

from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from sandbox.app import Sandbox
from sandbox.demo.content import DemoChannel, file_content, load_channel, load_feed, load_talk, varied
from sandbox.demo.pictures import picture
from sandbox.demo.trickle import channel_step, feed_step, talk_step, trickle
from sandbox.markdown import parse_markdown
from sandbox.settings import SandboxSettings


@pytest.fixture(params=["city", "science"])
def channel(request: Any) -> DemoChannel:
    return load_channel(request.param)


def test_a_channel_has_what_a_demo_needs(channel: DemoChannel) -> None:
    texts = [parse_markdown(post.text) for post in channel.posts]
    assert len(texts) >= 15
    assert any(len(text.encode("utf-16-le")) > 2 * 1024 for text, _ in texts)
    assert all(len(text.encode("utf-16-le")) <= 2 * 4096 for text, _ in texts)
    kinds = {type(entity).__name__.removeprefix("MessageEntity") for _, entities in texts for entity in entities}
    assert {"Bold", "Italic", "TextUrl", "Url", "Blockquote", "Spoiler", "Strike"} <= kinds
    assert any(post.photos > 1 for post in channel.posts)
    assert any(post.photos for post in channel.trickle)
    assert all(file_content(post.document) for post in channel.posts if post.document)
    assert any(post.document for post in channel.posts)


def test_one_post_is_in_both_channels() -> None:
    city, science = ({post.text for post in load_channel(name).posts} for name in ("city", "science"))
    assert len(city & science) == 1


def test_trickled_posts_are_all_different(channel: DemoChannel) -> None:
    texts = [varied(post.text, n, channel.values) for n in range(400) for post in channel.trickle]
    assert len(set(texts)) == len(texts)
    assert not any("{" in text for text in texts)


def test_a_picture_is_a_png_and_always_the_same() -> None:
    assert Image.open(BytesIO(picture(7, 120, 90))).size == (120, 90)
    assert picture(7, 120, 90).startswith(b"\x89PNG")
    assert picture(7, 120, 90) == picture(7, 120, 90) != picture(8, 120, 90)


async def test_the_demo_is_staged_once_and_the_trickle_goes_on(tmp_path: Path, rsa_key_pem: str) -> None:
    settings = SandboxSettings(state=tmp_path, trickle_seconds=0)
    async with Sandbox(settings, rsa_key_pem) as sandbox:
        first = {chat.username: sandbox.world.message_count(chat.id) for chat in sandbox.world.chats()}
        ports = (sandbox.announcement()["http"]["port"], sandbox.telegram()["port"])
        chat = sandbox.world.find_chat("gorod_novosti_demo")
        assert chat
        channel_step(sandbox.world, chat, load_channel("city"))()
        feed_step(sandbox.shelf, load_feed("notes"))()
        newest = sandbox.world.recent_messages(chat.id, 1)[0].text
    assert first["postroom_demo"] == 0
    assert (first["gorod_novosti_demo"], first["bench_and_orbit_demo"]) == (18, 17)
    async with Sandbox(settings, rsa_key_pem) as sandbox:
        assert sandbox.world.message_count(chat.id) == 19
        channel_step(sandbox.world, chat, load_channel("city"))()
        assert sandbox.world.recent_messages(chat.id, 1)[0].text != newest
        assert (sandbox.announcement()["http"]["port"], sandbox.telegram()["port"]) == ports
        feed = sandbox.shelf.get("workshop")
        assert feed
        assert feed.count == 11


async def test_documents_are_posted_as_they_are(rsa_key_pem: str) -> None:
    async with Sandbox(SandboxSettings(trickle_seconds=0), rsa_key_pem) as sandbox:
        chat = sandbox.world.find_chat("gorod_novosti_demo")
        assert chat
        async with httpx.AsyncClient(base_url=sandbox.url) as http:
            messages = (await http.get(f"/api/chats/{chat.id}/messages", params={"limit": 1000})).json()
            [sent] = [message for message in messages if (message["media"] or {}).get("type") == "document"]
            assert (sent["media"]["name"], sent["media"]["mime_type"]) == ("kite-festival.pdf", "application/pdf")
            assert (await http.get(sent["media"]["path"])).content == file_content("kite-festival.pdf")


async def test_the_userbot_and_others_are_in_the_chats_that_are_broadcast_to(rsa_key_pem: str) -> None:
    settings = SandboxSettings(trickle_seconds=0)
    async with Sandbox(settings, rsa_key_pem) as sandbox:
        announced = sandbox.telegram()
        assert len(announced["broadcast_chats"]) == 6
        chats = [sandbox.world.find_chat(described["id"]) for described in announced["broadcast_chats"]]
        assert [chat.kind for chat in chats if chat].count("group") == 1
        [account] = [account for account in announced["accounts"] if account["name"] == "userbot"]
        assert account["string_session"]
        for chat in chats:
            assert chat
            assert account["id"] in chat.members
            assert len(chat.members) > 4
            chat.check_written_by(sandbox.world.people.get(account["id"]))


async def test_people_talk_in_turn_and_never_say_the_same(rsa_key_pem: str) -> None:
    async with Sandbox(SandboxSettings(trickle_seconds=0), rsa_key_pem) as sandbox:
        world, talk = sandbox.world, load_talk()
        people = [world.add_user(name) for name in talk.people]
        for described in sandbox.telegram()["broadcast_chats"]:
            chat = world.find_chat(described["id"])
            assert chat
            step = talk_step(world, chat, people, talk)
            for _ in range(20):
                step()
            said = world.messages(chat.id)
            assert len({message.text for message in said}) == 20
            assert {message.sender_id for message in said} == {person.id for person in people}


async def test_the_trickle_takes_its_steps_in_turn() -> None:
    taken: list[str] = []

    def last() -> None:
        taken.append("b")
        if len(taken) == 4:
            raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        await trickle([lambda: taken.append("a"), last], 0)
    assert taken == ["a", "b", "a", "b"]


async def test_a_corpus_takes_the_place_of_the_demo(corpus: Path, rsa_key_pem: str) -> None:
    posts = corpus / "posts_ru"
    if not list(posts.glob("*.jsonl")):
        pytest.skip(f"no corpus at {posts} (POSTROOM_CORPUS names the directory)")
    async with Sandbox(SandboxSettings(corpus=posts, limits="off"), rsa_key_pem) as sandbox:
        telegram = sandbox.telegram()
        assert len(telegram["sources"]) == len(list(posts.glob("*.jsonl")))
        assert sum(sandbox.world.message_count(source["id"]) for source in telegram["sources"]) > 8000
        assert not list(sandbox.shelf)
        assert not any(sandbox.world.message_count(chat["id"]) for chat in telegram["broadcast_chats"])
        async with httpx.AsyncClient(base_url=sandbox.url) as http:
            for source in telegram["sources"]:
                assert (await http.get(f"/chats/{source['id']}")).status_code == 200
