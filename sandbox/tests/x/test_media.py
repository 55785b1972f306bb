"""Uploads, in one call and in parts, and what they are attached to."""

from base64 import b64encode
from typing import Any

import httpx
import pytest

VIDEO = b"\x00\x00\x00\x18ftypmp42" + bytes(3000)


def message(answer: httpx.Response) -> str:
    """Return what a 400 says."""
    assert answer.status_code == 400, answer.text
    return str(answer.json()["errors"][0]["message"])


async def test_pictures_are_uploaded_and_attached(x: Any, draw: Any) -> None:
    whole = draw(640, 480)
    answer = await x.upload(whole)
    data = answer.json()["data"]
    assert data["image"] == {"image_type": "image/jpeg", "w": 640, "h": 480}
    assert (data["size"], data["media_key"]) == (len(whole), f"3_{data['id']}")
    assert "processing_info" not in data
    in_json = {"media": b64encode(draw(kind="PNG")).decode(), "media_category": "tweet_image"}
    second = (await x.http.post("/2/media/upload", json=in_json)).json()["data"]["id"]
    post = await x.posted("With pictures", media={"media_ids": [data["id"], second]})

    asked = {"expansions": "attachments.media_keys", "media.fields": "url,width,alt_text", "post.fields": "entities"}
    shown = (await x.http.get(f"/2/tweets/{post}", params=asked)).json()
    assert shown["data"]["attachments"] == {"media_keys": [data["media_key"], f"3_{second}"]}
    assert [media["type"] for media in shown["includes"]["media"]] == ["photo", "photo"]
    assert shown["includes"]["media"][0]["width"] == 640
    (link,) = shown["data"]["entities"]["urls"]
    assert shown["data"]["text"] == f"With pictures {link['url']}"
    assert link["media_key"] == data["media_key"]
    assert x.platforms.x.archive.content(int(data["id"])) == (whole, "image/jpeg")


async def test_a_picture_needs_no_text(x: Any, draw: Any) -> None:
    media = await x.uploaded(draw())
    await x.posted(media={"media_ids": [media]})
    await x.posted(media={"media_ids": [media]})
    assert len(await x.texts()) == 2


async def test_an_upload_in_parts(x: Any, draw: Any) -> None:
    whole = draw(1200, 900, "PNG")
    opened = {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": len(whole)}
    data = (await x.http.post("/2/media/upload/initialize", json=opened)).json()["data"]
    path = f"/2/media/upload/{data['id']}"
    half = len(whole) // 2
    late = await x.http.post(f"{path}/append", files={"media": ("b", whole[half:])}, data={"segment_index": "1"})
    assert late.status_code == 200
    assert message(await x.http.post(f"{path}/finalize")) == "Segments do not add up to provided total file size."
    early = {"segment_index": 0, "media": b64encode(whole[:half]).decode()}
    assert (await x.http.post(f"{path}/append", json=early)).status_code == 200
    assert message(await x.post("Too early", media={"media_ids": [data["id"]]})) == "Your media IDs are invalid."
    done = (await x.http.post(f"{path}/finalize")).json()["data"]
    assert done["image"] == {"image_type": "image/png", "w": 1200, "h": 900}
    assert message(await x.http.post(f"{path}/finalize")) == "The media was finalized before."
    assert x.platforms.x.archive.content(int(data["id"])) == (whole, "image/png")
    await x.posted("Now", media={"media_ids": [data["id"]]})


@pytest.mark.parametrize("category", ["tweet_gif", "tweet_video"])
async def test_moving_pictures_are_processed(x: Any, draw: Any, category: str) -> None:
    content = VIDEO if category == "tweet_video" else draw(64, 64, "GIF", 3)
    media = await x.uploaded(content, category)
    status = {"media_id": media, "command": "STATUS"}
    processing = (await x.http.get("/2/media/upload", params=status)).json()["data"]["processing_info"]
    assert processing["state"] == "in_progress"
    assert processing["check_after_secs"] == 1
    assert message(await x.post("Too early", media={"media_ids": [media]})) == "Your media IDs are invalid."
    x.clock.ahead(1)
    processing = (await x.http.get("/2/media/upload", params=status)).json()["data"]["processing_info"]
    assert processing == {"state": "succeeded", "progress_percent": 100}
    picture = await x.uploaded(draw())
    assert "1 video" in message(await x.post("Both", media={"media_ids": [media, picture]}))
    await x.posted("Now", media={"media_ids": [media]})


async def test_processing_may_fail(x: Any, draw: Any) -> None:
    x.fault("media_failed", "/2/media/upload")
    media = await x.uploaded(draw())
    x.clock.ahead(1)
    status = await x.http.get("/2/media/upload", params={"media_id": media})
    assert status.json()["data"]["processing_info"]["state"] == "failed"
    assert message(await x.post("x", media={"media_ids": [media]})) == "Your media IDs are invalid."


async def test_media_expires_after_a_day(x: Any, draw: Any) -> None:
    media = await x.uploaded(draw())
    x.clock.ahead(24 * 60 * 60)
    assert message(await x.post("x", media={"media_ids": [media]})) == "Your media IDs are invalid."
    assert (await x.http.get("/2/media/upload", params={"media_id": media})).status_code == 400


async def test_nobody_attaches_what_another_uploaded_or_the_same_twice(x: Any, draw: Any) -> None:
    other = x.platforms.x.archive.named("other")
    theirs = await x.platforms.x.uploads.upload(other, "tweet_image", draw())
    mine = await x.uploaded(draw())
    for numbers in ([str(theirs.id)], [mine, mine], [mine, "12"]):
        assert message(await x.post("x", media={"media_ids": numbers})) == "Your media IDs are invalid."


async def test_alternative_text(x: Any, draw: Any) -> None:
    media = await x.uploaded(draw())
    described = {"id": media, "metadata": {"alt_text": {"text": "A bridge"}}}
    answer = await x.http.post("/2/media/metadata", json=described)
    assert answer.json()["data"]["associated_metadata"] == {"alt_text": {"text": "A bridge"}}
    post = await x.posted("x", media={"media_ids": [media]})
    asked = {"expansions": "attachments.media_keys", "media.fields": "alt_text"}
    shown = (await x.http.get(f"/2/tweets/{post}", params=asked)).json()
    assert shown["includes"]["media"][0]["alt_text"] == "A bridge"
    described["metadata"] = {"alt_text": {"text": "x" * 1001}}
    assert "1000" in message(await x.http.post("/2/media/metadata", json=described))


async def test_what_is_not_taken(x: Any, draw: Any) -> None:
    assert message(await x.upload(b"text")) == "media type unrecognized."
    assert message(await x.upload(draw()[:300])) == "media type unrecognized."
    assert message(await x.upload(b"")).startswith("File size")
    assert message(await x.upload(bytes(5 * 2**20 + 1))).startswith("File size exceeds 5242880")
    assert "not one of" in message(await x.upload(draw(), "banner"))
    assert "not go with" in message(await x.upload(draw(), "tweet_gif"))
    form = {"content-type": "multipart/form-data; boundary=x"}
    assert "broken" in message(await x.http.post("/2/media/upload", content=b"--x", headers=form))
    in_json = {"media": "%%%", "media_category": "tweet_image"}
    assert "base64" in message(await x.http.post("/2/media/upload", json=in_json))
    for opened in ({}, {"media_type": "image/png", "media_category": "tweet_image", "total_bytes": 2**30}):
        message(await x.http.post("/2/media/upload/initialize", json=opened))
    message(await x.http.post("/2/media/upload/12/finalize"))


async def test_a_form_keeps_every_byte(x: Any, draw: Any) -> None:
    content = draw() + bytes(range(256)) * 4 + b"\r\n--"  # a picture may have anything behind its end
    media = await x.uploaded(content)
    assert x.platforms.x.archive.content(int(media))[0] == content
