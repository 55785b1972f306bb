"""Containers and what becomes of them."""

from typing import Any

import httpx
import pytest

DAY = 24 * 60 * 60


def said(answer: httpx.Response) -> tuple[int, int | None]:
    """Return code and subcode of an error."""
    assert answer.status_code >= 400, answer.text
    error = answer.json()["error"]
    assert error["message"]
    assert error["type"]
    assert error["fbtrace_id"]
    return error["code"], error.get("error_subcode")


async def test_a_picture_is_published_once_when_its_container_is_ready(instagram: Any) -> None:
    container = (await instagram.create(caption="Мост открыт #мост", alt_text="A bridge")).json()["id"]
    fields = {"fields": "status_code,status"}
    assert (await instagram.get(container, **fields))["status_code"] == "IN_PROGRESS"
    assert said(await instagram.publish(container)) == (9007, 2207027)
    instagram.clock.ahead(5)
    assert (await instagram.get(container, **fields))["status_code"] == "FINISHED"
    post = (await instagram.publish(container)).json()["id"]
    assert (await instagram.get(container, **fields))["status_code"] == "PUBLISHED"
    assert said(await instagram.publish(container)) == (24, 2207006)

    shown = "id,caption,alt_text,media_type,timestamp,username,permalink,shortcode,media_url"
    listed = await instagram.get(f"{instagram.id}/media", fields=shown)
    (only,) = listed["data"]
    assert only == await instagram.get(post, fields=shown)
    assert only["id"] == post
    assert (only["caption"], only["alt_text"], only["media_type"]) == ("Мост открыт #мост", "A bridge", "IMAGE")
    assert only["timestamp"].endswith("+0000")
    assert "next" not in listed["paging"]


async def test_a_carousel_is_one_post_with_its_pictures_in_order(instagram: Any, draw: Any) -> None:
    children = []
    for number in range(3):
        instagram.pictures[f"{number}.jpg"] = draw(600 + number, 600)
        address = instagram.address(f"{number}.jpg")
        children.append(await instagram.created(image_url=address, is_carousel_item="true", alt_text=str(number)))
    album = await instagram.created(media_type="CAROUSEL", children=",".join(children), caption="Three")
    assert said(await instagram.publish(children[0])) == (24, 2207006)
    post = (await instagram.publish(album)).json()["id"]
    found = await instagram.get(post, fields="media_type,caption,children{id,alt_text,media_type}")
    assert (found["media_type"], found["caption"]) == ("CAROUSEL_ALBUM", "Three")
    assert [child["alt_text"] for child in found["children"]["data"]] == ["0", "1", "2"]
    assert (await instagram.get(f"{post}/children"))["data"] == [
        {"id": child["id"]} for child in found["children"]["data"]
    ]
    used = await instagram.get(f"{instagram.id}/content_publishing_limit")
    assert used == {"data": [{"quota_usage": 1}]}
    assert await instagram.captions() == ["Three"]


async def test_children_may_be_given_as_json(instagram: Any) -> None:
    children = [await instagram.created(is_carousel_item="true") for _ in range(2)]
    body = {"media_type": "CAROUSEL", "children": children, "caption": "Two"}
    answer = await instagram.http.post(f"{instagram.id}/media", json=body)
    assert answer.status_code == 200, answer.text


@pytest.mark.parametrize("count", [1, 11])
async def test_a_carousel_has_two_to_ten_pictures(instagram: Any, count: int) -> None:
    children = [await instagram.created(is_carousel_item="true") for _ in range(count)]
    assert said(await instagram.create(media_type="CAROUSEL", children=",".join(children))) == (100, 2207028)


async def test_a_carousel_takes_only_pictures_that_are_ready_and_meant_for_one(instagram: Any) -> None:
    ready = await instagram.created(is_carousel_item="true")
    single = await instagram.created()
    in_progress = (await instagram.create(is_carousel_item="true")).json()["id"]
    for wrong, expected in ((single, (24, 2207006)), ("1", (24, 2207006)), (ready, (24, 2207006))):
        answer = await instagram.create(media_type="CAROUSEL", children=f"{ready},{wrong}")
        assert said(answer) == expected
    answer = await instagram.create(media_type="CAROUSEL", children=f"{ready},{in_progress}")
    assert said(answer) == (9007, 2207027)


async def test_a_container_that_waits_for_a_day_expires(instagram: Any) -> None:
    container = await instagram.created()
    instagram.clock.ahead(DAY)
    assert (await instagram.get(container, fields="status_code"))["status_code"] == "EXPIRED"
    assert said(await instagram.publish(container)) == (-2, 2207020)


async def test_the_quota_counts_a_moving_day(instagram: Any) -> None:
    for number in range(3):
        await instagram.published(f"Post {number}")
        instagram.clock.ahead(3600)
    container = await instagram.created()
    assert said(await instagram.publish(container)) == (9, 2207042)
    limit = f"{instagram.id}/content_publishing_limit"
    quota = {"quota_total": 3, "quota_duration": DAY}
    shown = await instagram.get(limit, fields="quota_usage,config")
    assert shown == {"data": [{"quota_usage": 3, "config": quota}]}
    since = int(instagram.clock.now - 2 * 3600)
    assert await instagram.get(limit, since=since) == {"data": [{"quota_usage": 1}]}
    assert said(await instagram.http.get(limit, params={"since": since - DAY})) == (100, None)
    instagram.clock.ahead(DAY - 3 * 3600)
    assert (await instagram.publish(container)).status_code == 200


async def test_a_container_may_fail(instagram: Any) -> None:
    instagram.fault("container_error", "media", message="2207032")
    container = await instagram.created()
    found = await instagram.get(container, fields="status_code,status")
    assert found["status_code"] == "ERROR"
    assert "2207032" in found["status"]
    assert said(await instagram.publish(container)) == (-1, 2207032)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"caption": "x" * 2201}, (36004, 2207010)),
        ({"caption": " ".join(f"#tag{number}" for number in range(31))}, (36004, 2207010)),
        ({"caption": " ".join(f"@user{number}" for number in range(21))}, (100, 2207040)),
        ({"alt_text": "x" * 1001}, (100, None)),
        ({"image_url": ""}, (100, None)),
        ({"media_type": "REELS"}, (352, 2207026)),
        ({"media_type": "POSTCARD"}, (100, 2207023)),
        ({"video_url": "http://127.0.0.1/x.mp4"}, (352, 2207026)),
    ],
)
async def test_what_a_container_may_not_have(instagram: Any, given: dict[str, str], expected: Any) -> None:
    assert said(await instagram.create(**given)) == expected


async def test_the_longest_caption_is_taken(instagram: Any) -> None:
    tags = " ".join(f"#т{number}" for number in range(30)) + " " + " ".join(f"@u{number}" for number in range(20))
    caption = tags + " a@b.example #2026 " + "ж" * (2200 - len(tags) - 19)
    assert len(caption) == 2200
    assert (await instagram.create(caption=caption)).status_code == 200


async def test_pages_of_posts(instagram: Any) -> None:
    for number in range(3):
        await instagram.published(str(number))
        instagram.clock.ahead(DAY / 2)
    await instagram.published("3")
    asked = {"fields": "caption", "limit": 3}
    first = (await instagram.http.get(f"{instagram.id}/media", params=asked)).json()
    assert [post["caption"] for post in first["data"]] == ["3", "2", "1"]
    second = (await instagram.http.get(first["paging"]["next"])).json()
    assert [post["caption"] for post in second["data"]] == ["0"]
    assert "next" not in second["paging"]
    before = second["paging"]["cursors"]["before"]
    back = await instagram.get(f"{instagram.id}/media", fields="caption", limit=2, before=before)
    assert [post["caption"] for post in back["data"]] == ["2", "1"]
    recent = await instagram.get(f"{instagram.id}/media", fields="caption", since=int(instagram.clock.now - 3600))
    assert [post["caption"] for post in recent["data"]] == ["3"]
    assert said(await instagram.http.get(f"{instagram.id}/media", params={"limit": 101})) == (100, None)


async def test_only_known_fields_are_shown(instagram: Any) -> None:
    post = await instagram.published("x")
    assert await instagram.get(post) == {"id": post}
    assert await instagram.get("me", fields="username") == {"id": instagram.id, "username": "demo"}
    for node in (post, "me"):
        assert said(await instagram.http.get(node, params={"fields": "colour"})) == (100, None)
    assert said(await instagram.http.get(post, params={"fields": "children{id"})) == (100, None)


async def test_what_is_not_there_is_said_so(instagram: Any) -> None:
    for node in ("1", "nobody", "9" * 30):
        assert said(await instagram.http.get(node)) == (100, 33)
    assert said(await instagram.http.get("../elsewhere/x/y/z")) == (2500, None)
    assert said(await instagram.http.post(f"{instagram.id}/media_publish")) == (100, None)
    assert said(await instagram.publish("nonsense")) == (24, 2207006)
