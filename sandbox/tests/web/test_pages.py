"""The pages: safe, paged, and live."""

import base64
import re
from urllib.parse import quote

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape
from telethon.tl.types import (
    MessageEntityBlockquote,
    MessageEntityBold,
    MessageEntityItalic,
    MessageEntitySpoiler,
    MessageEntityTextUrl,
)

from sandbox.app import Sandbox
from sandbox.demo.pictures import picture
from sandbox.markdown import parse_markdown
from sandbox.settings import SandboxSettings
from sandbox.web.entities import render_html
from sandbox.web.pages import SECTIONS

DESTINATION = "@postroom_demo"


def test_overlapping_entities_are_nested() -> None:
    html = render_html("abcdef", [MessageEntityBold(0, 4), MessageEntityItalic(2, 4)])
    assert html == "<strong>ab<em>cd</em></strong><em>ef</em>"


def test_offsets_are_utf16_units() -> None:
    assert render_html("😀 bold", [MessageEntityBold(3, 4)]) == "😀 <strong>bold</strong>"


@pytest.mark.parametrize(
    "url", ["javascript:alert(1)", "data:text/html,x", "JAVASCRIPT:x", "http://[", " javascript:x"]
)
def test_no_link_runs_anything(url: str) -> None:
    assert "<a" not in render_html("click", [MessageEntityTextUrl(0, 5, url)])


def test_nothing_breaks_out_of_an_attribute() -> None:
    html = render_html("x", [MessageEntityTextUrl(0, 1, 'https://a.example/"><script>alert(1)</script>')])
    assert "<script" not in html
    assert html.count('"') == 6


ENTITIES = st.builds(
    lambda kind, offset, length: kind(offset, length),
    st.sampled_from([MessageEntityBold, MessageEntityItalic, MessageEntitySpoiler, MessageEntityBlockquote]),
    st.integers(-2, 12),
    st.integers(-1, 12),
)


@given(st.text(alphabet="a<&\"'>b😀 ", max_size=12), st.lists(ENTITIES, max_size=6))
def test_any_entities_give_balanced_html_and_the_same_text(text: str, entities: list[object]) -> None:
    html = str(render_html(text, entities))
    opened: list[str] = []
    for slash, tag in re.findall(r"<(/?)(\w+)", html):
        if slash:
            assert opened.pop() == tag
        else:
            opened.append(tag)
    assert not opened
    if text.isascii():
        assert re.sub(r"<[^>]*>", "", html) == str(escape(text))


def test_markdown_knows_quotations_and_spoilers() -> None:
    text, entities = parse_markdown("Before\n\n> said **he**\n\nafter ||hidden|| @someone")
    assert text == "Before\n\nsaid he\n\nafter hidden @someone"
    assert [(type(each).__name__.removeprefix("MessageEntity"), each.offset, each.length) for each in entities] == [
        ("Blockquote", 8, 7),
        ("Bold", 13, 2),
        ("Spoiler", 23, 6),
        ("Mention", 30, 8),
    ]


async def test_pages_are_escaped_under_a_strict_policy(http: httpx.AsyncClient) -> None:
    hostile = "<script>alert(1)</script>"
    await http.post("/api/chats", json={"title": hostile})
    await http.post(f"/api/chats/{DESTINATION}/messages", json={"text": f"{hostile} **bold**"})
    for path in ("/", f"/chats/{DESTINATION}"):
        page = await http.get(path)
        assert page.status_code == 200
        assert "SANDBOX" in page.text
        assert hostile not in page.text
        assert "unsafe" not in page.headers["content-security-policy"]
        assert " style=" not in page.text
        for loaded in re.findall(r'(?:src|href)="(/static/[^"]+)"', page.text):
            assert (await http.get(loaded)).status_code == 200
    assert "<strong>bold</strong>" in page.text


async def test_pictures_have_their_size_and_albums_are_one_message(http: httpx.AsyncClient) -> None:
    photos = [base64.b64encode(picture(number, 300, 200)).decode() for number in range(3)]
    await http.post(f"/api/chats/{DESTINATION}/messages", json={"text": "**Three** views", "photos": photos})
    page = (await http.get(f"/chats/{DESTINATION}")).text
    assert page.count("<article") == 1
    shown = re.findall(r'<img src="([^"]+)" alt="([^"]+)" width="300" height="200" loading="lazy"', page)
    assert [alt for _, alt in shown] == ["Photo 1 of 3", "Photo 2 of 3", "Photo 3 of 3"]
    assert "<strong>Three</strong> views" in page
    for (address, _), photo in zip(shown, photos, strict=True):
        served = await http.get(address)
        assert served.headers["content-type"] == "image/png"
        assert served.content == base64.b64decode(photo)


async def test_a_document_is_downloaded_and_never_becomes_a_page(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    chat = sandbox.world.find_chat("postroom_demo")
    assert chat
    hostile = b"<script>alert(1)</script>" * 100
    for content, name, kind in ((hostile, "отчёт.html", "text/html"), (b"RIFF0000AVI " * 9, "x.avi", "image/webp")):
        media = sandbox.world.document(content, name, kind)
        sandbox.world.post(chat, "The report", media=media)
        page = (await http.get(f"/chats/{DESTINATION}")).text
        assert page.count("The report") == page.count("<article")
        [address] = re.findall(rf'<a href="([^"]+)" download="{name}"', page)
        served = await http.get(address)
        assert served.content == content
        assert served.headers["content-type"] == "application/octet-stream"
        assert served.headers["content-disposition"] == f"attachment; filename*=UTF-8''{quote(name)}"
    assert "2 KB" in page


async def test_a_video_is_played(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    chat = sandbox.world.find_chat("postroom_demo")
    assert chat
    media = sandbox.world.document(b"\0\0\0\x18ftypmp42" + bytes(50), "clip.mp4", "video/mp4")
    sandbox.world.post(chat, "A clip", media=media)
    page = await http.get(f"/chats/{DESTINATION}")
    [address] = re.findall(r'<video src="([^"]+)" controls', page.text)
    assert "media-src 'self'" in page.headers["content-security-policy"]
    assert (await http.get(address)).headers["content-type"] == "video/mp4"


async def test_the_list_says_what_each_chat_is_for(rsa_key_pem: str) -> None:
    async with (
        Sandbox(SandboxSettings(trickle_seconds=0), rsa_key_pem) as sandbox,
        httpx.AsyncClient(base_url=sandbox.url) as http,
    ):
        await http.post("/api/chats", json={"title": "A new one"})
        page = (await http.get("/")).text
        sections = {}
        for part in page.split("<h2>")[1:]:
            title, _, rest = part.partition("</h2>")
            sections[title] = re.findall(r'href="/chats/(-\d+)"', rest)
        announced = sandbox.telegram()
        for part, title in SECTIONS.items():
            assert sorted(sections[title]) == sorted(str(chat["id"]) for chat in announced[part])
        assert len(sections["Others"]) == 1
        for chats in sections.values():
            for chat in chats:
                assert (await http.get(f"/chats/{chat}")).status_code == 200


async def test_a_chat_of_ten_thousand_is_paged(http: httpx.AsyncClient, sandbox: Sandbox) -> None:
    chat = sandbox.world.find_chat("postroom_demo")
    editor = sandbox.world.users()[0]
    assert chat
    for number in range(120):
        sandbox.world.post(chat, f"Message {number + 1}.", author=editor)
    path, seen = f"/chats/{chat.id}", []
    while path:
        page = (await http.get(path)).text
        shown = [int(each) for each in re.findall(r'data-id="(\d+)"', page)]
        assert shown == sorted(shown)
        assert ("data-newer" in page) is (not seen)
        seen = shown + seen
        older = re.search(r'href="([^"]+before=\d+)"', page)
        path = older[1] if older else ""
    assert seen == list(range(1, 121))


async def test_new_messages_come_as_a_piece_of_the_page(http: httpx.AsyncClient) -> None:
    newer = f"/chats/{DESTINATION}/newer"
    assert (await http.get(newer, params={"after": 0})).status_code == 204
    await http.post(f"/api/chats/{DESTINATION}/messages", json={"text": "Fresh"})
    piece = await http.get(newer, params={"after": 0})
    assert 'data-id="1"' in piece.text
    assert "<html" not in piece.text
    assert (await http.get(newer, params={"after": 1})).status_code == 204
