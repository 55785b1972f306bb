"""Small pictures for the demo's photos, drawn from a number: a sky, a sun and two hills."""

import struct
import zlib
from random import Random


def picture(number: int, width: int = 320, height: int = 214) -> bytes:
    """Return a PNG of the given size in pixels (at least 110 × 90); a number always gives the same picture."""
    chance = Random(number)
    sky = [chance.randint(90, 235) for _ in range(3)]
    near, far = ([chance.randint(20, 120) for _ in range(3)] for _ in range(2))
    sun_x, sun_y, radius = chance.randint(50, width - 50), chance.randint(40, height // 2), chance.randint(12, 28)
    slopes = [(chance.uniform(0.5, 0.75), chance.uniform(-0.25, 0.25), chance.uniform(90, 260)) for _ in range(2)]
    rows = bytearray()
    for y in range(height):
        rows.append(0)  # each row of a PNG starts with its filter: none
        shade = [min(255, int(part * (0.7 + 0.5 * y / height))) for part in sky]
        half = int(max(0, radius * radius - (y - sun_y) ** 2) ** 0.5)
        for x in range(width):
            colour = shade
            if abs(x - sun_x) < half:
                colour = [255, 241, 200]
            for (level, slope, bend), hill in zip(slopes, (far, near), strict=True):
                away = (x - width / 2) / bend
                if y > height * (level + slope * x / width) + 9 * away * away:
                    colour = hill
            rows += bytes(colour)
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows))) + _chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
