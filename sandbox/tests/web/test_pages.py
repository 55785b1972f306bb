"""The pages: safe, paged, and live."""

import re

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
from sandbox.markdown import parse_markdown
from sandbox.web.entities import render_html

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
