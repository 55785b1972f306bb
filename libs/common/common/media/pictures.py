"""Pictures: really decoded before they are believed, and converted to what a platform accepts."""

import io
import warnings
from dataclasses import dataclass
from typing import BinaryIO

from PIL import Image, ImageOps, UnidentifiedImageError

# What is decoded, by Pillow's name. SVG is a document that browsers run, not a picture, and is not among them.
TYPES = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp", "GIF": "image/gif"}
# Of more, 200 MB decoded as Pillow keeps four bytes of each, it is a decompression bomb, or of no use.
MOST_PIXELS = 50_000_000
MOST_SIDE = 65_535  # what a JPEG may have; making a longer line small takes memory, too
QUALITIES = (90, 80, 65, 50)  # of JPEG, until it is small enough
REDUCED_QUALITY = 82
SLACK = 0.01  # of a ratio, as sides are whole pixels


class NotAPicture(Exception):
    """It can't be decoded as a picture, or is one that nobody should decode."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What a file is that was decoded to its end. Width and height are in pixels."""

    mime_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Accepted:
    """What a platform takes as a photo. `most_sides` bounds width + height, `ratios` width / height."""

    types: frozenset[str]
    most_bytes: int
    most_side: int
    most_sides: int
    ratios: tuple[float, float]


# https://core.telegram.org/bots/api#sendphoto
TELEGRAM = Accepted(frozenset({"image/jpeg", "image/png", "image/webp"}), 10 * 2**20, 9_900, 10_000, (1 / 20, 20))
# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media#image-specifications
INSTAGRAM = Accepted(frozenset({"image/jpeg"}), 8 * 10**6, 1_440, 4_000, (4 / 5, 1.91))
# https://docs.x.com/x-api/media/quickstart/best-practices
X = Accepted(frozenset({"image/jpeg", "image/png", "image/webp", "image/gif"}), 5 * 2**20, 8_192, 16_384, (1 / 20, 20))


def inspect(content: BinaryIO) -> Picture:
    """Return what a picture is, having decoded all of it. Raises NotAPicture. Blocking: call it in a thread."""
    try:
        with _opened(content) as image:
            image.load()
            return Picture(TYPES[image.format or ""], image.width, image.height)
    except _BROKEN as error:
        raise NotAPicture(_reason(error)) from None
    finally:
        content.seek(0)


def fitted(content: BinaryIO, accepted: Accepted) -> BinaryIO:
    """Return the picture as a platform accepts it: the same file where it does, else one that was converted.

    What is too large is made smaller, what is too long or too wide gets margins, transparency becomes white. Of moving
    pictures the first frame is taken. Raises NotAPicture. Blocking: call it in a thread.
    """
    try:
        size = content.seek(0, io.SEEK_END)
        content.seek(0)
        with _opened(content) as image:
            image.load()
            if _accepts(accepted, image, size):
                content.seek(0)
                return content
            return _converted(image, accepted)
    except _BROKEN as error:
        raise NotAPicture(_reason(error)) from None


def reduced(content: BinaryIO, side: int) -> bytes:
    """Return a picture as a JPEG whose longer side has `side` pixels at most, to be shown among others.

    Of moving pictures the first frame is taken. Raises NotAPicture. Blocking: call it in a thread.
    """
    try:
        with _opened(content) as image:
            image.draft("RGB", (side, side))  # a JPEG is decoded no larger than needed
            ImageOps.exif_transpose(image, in_place=True)
            shown = _flat(image)
            shown.thumbnail((side, side), Image.Resampling.LANCZOS, reducing_gap=2.0)
            written = io.BytesIO()
            shown.save(written, "JPEG", quality=REDUCED_QUALITY, optimize=True)
            return written.getvalue()
    except _BROKEN as error:
        raise NotAPicture(_reason(error)) from None


_BROKEN = (
    UnidentifiedImageError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
    OSError,
    SyntaxError,  # what Pillow raises for some broken PNG files
    ValueError,
    EOFError,
    MemoryError,
)


def _opened(content: BinaryIO) -> Image.Image:
    content.seek(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        image = Image.open(content, formats=tuple(TYPES))
    if image.width * image.height > MOST_PIXELS or max(image.size) > MOST_SIDE:
        raise ValueError(f"{image.width} × {image.height} pixels are too many")
    return image


def _accepts(accepted: Accepted, image: Image.Image, size: int) -> bool:
    lowest, highest = accepted.ratios
    return (
        TYPES[image.format or ""] in accepted.types
        and size <= accepted.most_bytes
        and max(image.size) <= accepted.most_side
        and sum(image.size) <= accepted.most_sides
        and lowest <= image.width / image.height <= highest
        and not getattr(image, "is_animated", False)
    )


def _converted(image: Image.Image, accepted: Accepted) -> BinaryIO:
    ImageOps.exif_transpose(image, in_place=True)
    sides = _with_margins(image.size, accepted.ratios)
    # One less, as margins are rounded up to a whole pixel.
    factor = min(1.0, accepted.most_side / max(sides), (accepted.most_sides - 1) / sum(sides))
    shown = _flat(image)
    while True:
        if factor < 1:
            size = (max(1, int(shown.width * factor)), max(1, int(shown.height * factor)))
            shown = shown.resize(size, Image.Resampling.LANCZOS)
        padded = _padded(shown, accepted.ratios)  # not before it is small: the margins of a long line fill the memory
        for quality in QUALITIES:
            written = io.BytesIO()
            padded.save(written, "JPEG", quality=quality)
            if written.tell() <= accepted.most_bytes:
                written.seek(0)
                return written
        factor = 0.75


def _flat(image: Image.Image) -> Image.Image:
    """Return a picture without transparency, on white."""
    if not image.has_transparency_data:
        return image if image.mode == "RGB" else image.convert("RGB")
    seen = image if image.mode == "RGBA" else image.convert("RGBA")
    white = Image.new("RGB", seen.size, "white")
    white.paste(seen, mask=seen)
    return white


def _with_margins(sides: tuple[int, int], ratios: tuple[float, float]) -> tuple[int, int]:
    """Return width and height with what a picture lacks that is too tall or too wide."""
    width, height = sides
    lowest, highest = ratios[0] * (1 + SLACK), ratios[1] * (1 - SLACK)
    if lowest <= width / height <= highest:
        return sides
    return max(width, -int(-height * lowest // 1)), max(height, -int(-width / highest // 1))


def _padded(image: Image.Image, ratios: tuple[float, float]) -> Image.Image:
    """Return a picture with margins of white, where it is too tall or too wide."""
    width, height = _with_margins(image.size, ratios)
    if (width, height) == image.size:
        return image
    padded = Image.new("RGB", (width, height), "white")
    padded.paste(image, ((width - image.width) // 2, (height - image.height) // 2))
    return padded


def _reason(error: BaseException) -> str:
    return f"it is no picture that can be used: {str(error) or type(error).__name__}"
