"""The picture of a container is really fetched, and really looked at."""

from io import BytesIO
from typing import Any

import pytest
from PIL import Image


async def code(instagram: Any, address: str) -> int:
    answer = await instagram.create(image_url=address)
    assert answer.status_code == 400, answer.text
    return int(answer.json()["error"]["code"])


@pytest.mark.parametrize(
    ("width", "height", "kind", "expected"),
    [
        (800, 800, "PNG", 36001),
        (800, 800, "WEBP", 36001),
        (800, 1010, "JPEG", None),
        (800, 1020, "JPEG", 36003),
        (1200, 628, "JPEG", None),
        (1200, 600, "JPEG", 36003),
    ],
)
async def test_formats_and_ratios(
    instagram: Any, draw: Any, width: int, height: int, kind: str, expected: int | None
) -> None:
    instagram.pictures["b.jpg"] = draw(width, height, kind)
    if expected is None:
        assert (await instagram.create(image_url=instagram.address("b.jpg"))).status_code == 200
    else:
        assert await code(instagram, instagram.address("b.jpg")) == expected


async def test_broken_and_huge_files(instagram: Any) -> None:
    whole = instagram.pictures["a.jpg"]
    instagram.pictures |= {
        "half.jpg": whole[: len(whole) // 2],
        "text.jpg": b"<html>",
        "huge.jpg": whole + bytes(2**23),
    }
    assert await code(instagram, instagram.address("half.jpg")) == 36001
    assert await code(instagram, instagram.address("text.jpg")) == 36001
    assert await code(instagram, instagram.address("huge.jpg")) == 36000


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com/a.jpg",
        "http://10.0.0.1/a.jpg",
        "http://127.0.0.1.example.com/a.jpg",
        "file:///etc/passwd",
        "http://[::1",
        "http://127.0.0.1:1/a.jpg",
        "http://127.0.0.1:99999/a.jpg",
        "http://user@127.0.0.1/a.jpg",
        "not an address",
    ],
)
async def test_addresses_that_lead_nowhere_or_off_this_machine(instagram: Any, address: str) -> None:
    assert await code(instagram, address) == 9004


async def test_only_an_answer_of_200_is_a_picture(instagram: Any) -> None:
    assert await code(instagram, instagram.address("none.jpg")) == 9004
    assert await code(instagram, instagram.address("elsewhere.jpg")) == 9004


async def test_a_slow_server_is_given_up(instagram: Any) -> None:
    object.__setattr__(instagram.platforms.instagram.studio, "fetch_seconds", 0.2)
    assert await code(instagram, instagram.address("slow.jpg")) == -2


@pytest.mark.parametrize(("width", "shown"), [(100, 320), (900, 900), (2000, 1440)])
async def test_pictures_are_shown_from_320_to_1440_pixels_wide(
    instagram: Any, draw: Any, width: int, shown: int
) -> None:
    instagram.pictures["w.jpg"] = draw(width, width)
    container = await instagram.created(image_url=instagram.address("w.jpg"))
    post = (await instagram.publish(container)).json()["id"]
    content = instagram.platforms.instagram.studio.gallery.content(int(post))
    with Image.open(BytesIO(content)) as image:
        assert image.size == (shown, shown)
