"""What the image model draws, and what it answers in place of a picture when a fault spoils it."""

import struct
import zlib
from hashlib import sha256
from io import BytesIO
from random import Random

from PIL import Image

from sandbox.demo.pictures import landscape

SPOILED = ("invalid_image", "truncated_image", "svg", "html", "bomb", "large")
LARGE_SIDE = 2_600  # pixels; noise of three bytes each is a file of 20 MB
BOMB_SIDE = 60_000

SVG = b'<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64"><script>alert(1)</script></svg>'
HTML = b"<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in.</body></html>"


def draw(prompt: str, width: int, height: int, output_format: str, fault: str | None = None) -> bytes:
    """Return a picture of the given size in pixels; the same prompt always gives the same one.

    Of the faults, those of `SPOILED` change what is returned: `large` is a true picture of 20 MB, the others are none.
    Blocking, for some 50 ms (`large`: some 200): call it in a thread.
    """
    match fault:
        case "invalid_image":
            return Random(prompt).randbytes(4_096)
        case "svg":
            return SVG
        case "html":
            return HTML
        case "bomb":
            return _bomb()
        case "large":
            noise = Random(prompt).randbytes(LARGE_SIDE * LARGE_SIDE * 3)
            return _written(Image.frombytes("RGB", (LARGE_SIDE, LARGE_SIDE), noise), "png", compress_level=0)
    number = int.from_bytes(sha256(prompt.encode()).digest()[:8])
    content = _written(landscape(number, width, height), output_format)
    return content[: len(content) // 2] if fault == "truncated_image" else content


def _written(image: Image.Image, output_format: str, **options: int) -> bytes:
    content = BytesIO()
    image.save(content, output_format.upper(), **options)
    return content.getvalue()


def _bomb() -> bytes:
    """Return a PNG of a few MB of zeros, compressed to some KB, that says to be 60,000 × 60,000 pixels large."""
    header = struct.pack(">IIBBBBB", BOMB_SIDE, BOMB_SIDE, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(4 * 2**20))), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        for kind, content in chunks
    )
