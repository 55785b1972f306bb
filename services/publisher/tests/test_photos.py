"""Photos by their URL: fetched, uploaded, and sent once."""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from typing import Any, BinaryIO

import pytest
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telethon.tl import types

from common.media.download import Downloads, Unavailable
from common.media.items import MediaItem
from common.telegram.text import RichText
from publisher.adapters.telegram_search import same
from publisher.ports import Message
from sandbox.announcement import bind
from sandbox.connections import HttpServer
from sandbox.demo.pictures import picture as drawn
from sandbox.web.application import make_application

from .conftest import Stage, publishing


@pytest.fixture
async def gallery(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[str]:
    """The address of a server with pictures, which lies in a private network."""

    async def picture(request: Request) -> Response:
        return Response(drawn(request.path_params["number"]), media_type="image/png")

    listener = bind("127.0.0.1", 0, 0)
    server = HttpServer(make_application([[Route("/{number:int}", picture)]]))
    await server.start(listener)
    monkeypatch.setenv("PUBLISH_ALLOW_PRIVATE_MEDIA", "true")
    yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    await server.stop()


async def test_a_photo_has_the_text_as_its_caption(stage: Stage, gallery: str) -> None:
    channel = stage.channel("photo")
    stage.fault("drop_after", "messages.SendMedia")
    async with publishing():
        result = await stage.ended(
            await stage.request(text="**look** " * 300, media=[{"url": f"{gallery}/1"}], targets=["telegram:@photo"])
        )
    (message,) = stage.world.messages(channel.id)
    assert result["status"] == "succeeded"
    assert stage.world.download(message) == drawn(1)
    assert 900 < len(message.text) <= 1024
    assert message.text.endswith("…")


async def test_several_photos_are_an_album(stage: Stage, gallery: str) -> None:
    channel = stage.channel("album")
    stage.fault("drop_after", "messages.SendMultiMedia")
    media = [{"url": f"{gallery}/{number}"} for number in (1, 2, 3)]
    async with publishing():
        result = await stage.ended(await stage.request(text="three", media=media, targets=["telegram:@album"]))
    messages = stage.world.messages(channel.id)
    assert [stage.world.download(message) for message in messages] == [drawn(number) for number in (1, 2, 3)]
    assert [message.text for message in messages] == ["three", "", ""]
    assert len({message.grouped_id for message in messages}) == 1
    assert result["targets"][0]["message_ids"] == [message.id for message in messages]


async def test_a_text_is_sent_without_a_photo_that_is_not_there(
    stage: Stage, gallery: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PUBLISH_ALLOW_PRIVATE_MEDIA")
    channel = stage.channel("text")
    async with publishing():
        result = await stage.ended(
            await stage.request(text="only text", media=[{"url": f"{gallery}/1"}], targets=["telegram:@text"])
        )
        nothing = await stage.ended(await stage.request(media=[{"url": f"{gallery}/1"}], targets=["telegram:@text"]))
    assert stage.texts(channel) == ["only text"]
    assert "not a public address" in result["targets"][0]["error"]
    assert result["status"] == "succeeded"
    assert nothing["status"] == "failed"


@pytest.mark.parametrize("kind", ["drop_after", "drop"])
async def test_an_album_that_may_have_arrived_is_looked_for_before_its_text_is_sent_alone(
    stage: Stage, gallery: str, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    channel = stage.channel("album")
    stage.fault(kind, "messages.SendMultiMedia")
    fetch = Downloads.fetch

    def fetches(self: Downloads, url: str, *, most_bytes: int) -> AbstractAsyncContextManager[tuple[BinaryIO, str]]:
        if "messages.SendMultiMedia" in stage.server.calls():
            raise Unavailable("the gallery is closed")
        return fetch(self, url, most_bytes=most_bytes)

    monkeypatch.setattr(Downloads, "fetch", fetches)
    media = [{"url": f"{gallery}/{number}"} for number in (1, 2, 3)]
    async with publishing():
        result = await stage.ended(await stage.request(text="three", media=media, targets=["telegram:@album"]))
    ids = result["targets"][0]["message_ids"]
    assert ids == [message.id for message in stage.world.messages(channel.id)]
    assert len(ids) == (3 if kind == "drop_after" else 1)


WEB_PAGE = types.MessageMediaWebPage(types.WebPageEmpty(1))
PHOTO = types.MessageMediaPhoto()
FILE = types.MessageMediaDocument(
    document=types.Document(1, 1, b"", None, "application/pdf", 10, 2, [types.DocumentAttributeFilename("a.pdf")])
)
A_PHOTO, A_VIDEO = MediaItem("photo", url="http://a"), MediaItem("video", url="http://a", size_bytes=5)
A_FILE, OTHER_FILE = (MediaItem("document", url="http://a", size_bytes=size) for size in (10, 11))


@pytest.mark.parametrize(
    ("text", "media", "found", "is_same"),
    [
        ("hello", [], {"message": "hello "}, True),
        ("hello", [], {"message": "hello", "media": WEB_PAGE}, True),
        ("hello", [], {"message": "hello", "media": PHOTO}, False),
        ("hello", [A_PHOTO], {"message": "hello", "media": PHOTO}, True),
        ("hello", [A_PHOTO], {"message": "hello"}, True),  # a photo that could not be had
        ("hello", [A_PHOTO] * 2, {"message": "hello", "media": PHOTO}, True),  # one of two
        ("hello", [A_PHOTO], {"message": "hello", "media": FILE}, False),
        ("hello", [A_VIDEO], {"message": "hello", "media": FILE}, True),  # Telegram may have converted it
        ("hello", [A_VIDEO], {"message": "hello", "media": PHOTO}, False),
        ("hello", [A_FILE], {"message": "hello", "media": FILE}, True),
        ("hello", [OTHER_FILE], {"message": "hello", "media": FILE}, False),
        ("", [A_FILE], {"message": "", "media": FILE}, True),
        ("", [OTHER_FILE], {"message": "", "media": FILE}, False),
        ("", [OTHER_FILE, A_FILE], {"message": "", "media": FILE, "grouped_id": 7}, True),
        ("", [A_PHOTO, A_VIDEO], {"message": "", "media": FILE, "grouped_id": 7}, True),
        ("", [A_PHOTO], {"message": "", "media": PHOTO}, True),
        ("", [A_PHOTO], {"message": "", "media": PHOTO, "grouped_id": 7}, False),
        ("", [A_PHOTO] * 2, {"message": "", "media": PHOTO}, False),
        ("", [A_PHOTO] * 2, {"message": "", "media": PHOTO, "grouped_id": 7}, True),
        ("", [A_PHOTO], {"message": "", "media": types.MessageMediaDice(6, "")}, False),
        ("", [A_PHOTO], {"message": ""}, False),
    ],
)
def test_a_message_is_recognised_by_its_text_and_media(
    text: str, media: list[MediaItem], found: dict[str, Any], is_same: bool
) -> None:
    there = types.Message(id=1, peer_id=types.PeerChannel(1), date=None, **found)
    wanted = Message("@album", RichText(text=text), tuple(media), tuple(range(max(1, len(media)))))
    assert same(there, wanted) is is_same
