"""Pictures are decoded before they are believed, and converted to what a platform accepts."""

import io
import struct
import subprocess
import sys
import zlib
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from common.media.pictures import INSTAGRAM, TELEGRAM, Accepted, NotAPicture, Picture, X, fitted, inspect, reduced


def drawn(width: int, height: int, kind: str = "PNG", mode: str = "RGB", **options: Any) -> io.BytesIO:
    written = io.BytesIO()
    Image.new(mode, (width, height), "teal").save(written, kind, **options)
    return written


def noise(side: int) -> io.BytesIO:
    """A PNG that can't be made small without losing something."""
    written = io.BytesIO()
    Image.effect_noise((side, side), 90).convert("RGB").save(written, "PNG", compress_level=0)
    return written


def bomb(width: int, height: int) -> io.BytesIO:
    """A PNG of a few bytes that says it has so many pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    body = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    return io.BytesIO(b"\x89PNG\r\n\x1a\n" + body)


@pytest.mark.parametrize(
    ("kind", "mime_type"),
    [("PNG", "image/png"), ("JPEG", "image/jpeg"), ("WEBP", "image/webp"), ("GIF", "image/gif")],
)
def test_a_picture_is_what_its_content_says(kind: str, mime_type: str) -> None:
    content = drawn(40, 30, kind)
    assert inspect(content) == Picture(mime_type, 40, 30)
    assert content.tell() == 0


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"GIF89a",
        b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'><script/></svg>",
        b"<!doctype html><title>404</title>",
        b"%PDF-1.7",
        drawn(200, 200).getvalue()[:-30],
        noise(64).getvalue()[:4000],
        drawn(200, 200, "JPEG").getvalue()[:300],
        drawn(9, 9, "BMP").getvalue(),
    ],
    ids=["empty", "only a header", "svg", "html", "pdf", "png without end", "png cut", "jpeg cut", "unused type"],
)
def test_what_is_no_whole_picture_is_refused(content: bytes) -> None:
    with pytest.raises(NotAPicture):
        inspect(io.BytesIO(content))
    with pytest.raises(NotAPicture):
        fitted(io.BytesIO(content), TELEGRAM)


@pytest.mark.parametrize(
    ("width", "height"), [(30_000, 30_000), (8_000, 8_000), (60_000, 1_000), (2_000_000, 1), (1, 66_000)]
)
def test_a_decompression_bomb_is_refused_before_it_is_decoded(width: int, height: int) -> None:
    with pytest.raises(NotAPicture, match="pixels"):
        inspect(bomb(width, height))


def test_what_is_accepted_stays_as_it_is() -> None:
    content = drawn(640, 480)
    assert fitted(content, TELEGRAM) is content
    assert content.tell() == 0


@pytest.mark.parametrize("accepted", [TELEGRAM, INSTAGRAM, X], ids=["telegram", "instagram", "x"])
@pytest.mark.parametrize(
    "content",
    [
        drawn(300, 200, mode="RGBA"),
        drawn(300, 200, mode="P"),
        drawn(300, 200, mode="LA"),
        drawn(12_000, 300),
        drawn(20, 3_000),
        drawn(1, 1),
        drawn(300, 200, "WEBP"),
        drawn(300, 200, "JPEG", mode="CMYK"),
    ],
    ids=["transparent", "palette", "grey", "wide", "tall", "one pixel", "webp", "cmyk"],
)
def test_every_picture_fits_every_platform(content: io.BytesIO, accepted: Accepted) -> None:
    converted = fitted(content, accepted)
    assert fits(converted, accepted)


def test_a_large_picture_becomes_small_enough() -> None:
    content = noise(2_600)
    assert len(content.getvalue()) > 20_000_000
    converted = fitted(content, TELEGRAM)
    assert fits(converted, TELEGRAM)
    assert inspect(converted).width == 2_600  # only its quality was lowered


@pytest.mark.skipif(sys.platform != "linux", reason="only there the memory of a process can be bounded")
def test_a_line_gets_its_margins_when_it_is_small() -> None:
    script = """
import io, resource
from PIL import Image
from common.media.pictures import TELEGRAM, fitted, inspect
written = io.BytesIO()
Image.new("L", (65_000, 760)).save(written, "PNG")
pages = int(open("/proc/self/statm").read().split()[0])
most = pages * resource.getpagesize() + 600 * 2**20
resource.setrlimit(resource.RLIMIT_AS, (most, most))
print(inspect(fitted(written, TELEGRAM)))
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=False)
    assert (ended.stdout, ended.stderr) == ("Picture(mime_type='image/jpeg', width=9518, height=481)\n", "")


def test_a_moving_picture_becomes_its_first_frame() -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "green", "blue")]
    written = io.BytesIO()
    frames[0].save(written, "GIF", save_all=True, append_images=frames[1:])
    with Image.open(fitted(written, X)) as still:
        red, green, blue = still.convert("RGB").getpixel((16, 16))  # type: ignore[misc]
        assert (red > 200, green < 60, blue < 60) == (True, True, True)


def test_a_picture_is_turned_as_its_camera_says() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter, https://www.cipa.jp/std/documents/e/DC-X008-Translation-2019-E.pdf
    content = drawn(1_600, 1_000, "JPEG", exif=exif)
    assert inspect(fitted(content, INSTAGRAM)).height > inspect(fitted(content, INSTAGRAM)).width


@settings(deadline=None)
@given(width=st.integers(1, 3_000), height=st.integers(1, 3_000))
def test_no_shape_is_left_that_a_platform_refuses(width: int, height: int) -> None:
    assert fits(fitted(drawn(width, height, "PNG"), INSTAGRAM), INSTAGRAM)


def fits(content: Any, accepted: Accepted) -> bool:
    size = content.seek(0, io.SEEK_END)
    picture = inspect(content)
    bounds = (accepted.ratios[0], picture.width / picture.height, accepted.ratios[1])
    return (
        picture.mime_type in accepted.types
        and size <= accepted.most_bytes
        and max(picture.width, picture.height) <= accepted.most_side
        and picture.width + picture.height <= accepted.most_sides
        and all(lower <= upper for lower, upper in pairwise(bounds))
    )


def test_a_small_picture_is_a_jpeg_that_stands_upright() -> None:
    turned = Image.Exif()
    turned[0x0112] = 6  # to be turned by 90 degrees
    for kind, mode, options in (("JPEG", "RGB", {"exif": turned}), ("PNG", "RGBA", {}), ("GIF", "P", {})):
        content = io.BytesIO()
        Image.new(mode, (3000, 1000)).save(content, kind, **options)
        small = Image.open(io.BytesIO(reduced(content, 300)))
        assert small.format == "JPEG"
        assert small.size == ((100, 300) if kind == "JPEG" else (300, 100))
    with pytest.raises(NotAPicture):
        reduced(io.BytesIO(b"<svg/>"), 300)
    tiny = io.BytesIO()
    Image.new("L", (8, 4)).save(tiny, "PNG")
    assert Image.open(io.BytesIO(reduced(tiny, 300))).size == (8, 4)
