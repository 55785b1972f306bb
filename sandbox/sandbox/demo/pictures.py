"""Pictures for the demo's photos, drawn from a number: a sky, a sun and two hills."""

from io import BytesIO
from random import Random

from PIL import Image, ImageDraw

Colour = tuple[int, int, int]

SUN: Colour = (255, 241, 200)


def picture(number: int, width: int = 960, height: int = 640) -> bytes:
    """Return a PNG of the given size in pixels (at least 110 × 90); a number always gives the same picture."""
    content = BytesIO()
    landscape(number, width, height).save(content, "PNG")
    return content.getvalue()


def landscape(number: int, width: int, height: int) -> Image.Image:
    """Return a picture of the given size in pixels (at least 110 × 90)."""
    chance = Random(number)
    top, far, near = _colour(chance, 90, 235), _colour(chance, 20, 120), _colour(chance, 20, 120)
    drawn = _sky(top, width, height)
    draw = ImageDraw.Draw(drawn)
    radius = chance.randint(height // 18, height // 8)
    x, y = chance.randint(radius, width - radius), chance.randint(radius, height // 2)
    draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=SUN)
    for colour, level in ((far, 0.5), (near, 0.65)):
        draw.polygon(_hill(chance, level, width, height), fill=colour)
    return drawn


def _sky(top: Colour, width: int, height: int) -> Image.Image:
    """Return a sky that gets lighter towards the horizon."""
    mask = Image.linear_gradient("L").resize((width, height))
    bottom = tuple(min(255, part + 60) for part in top)
    return Image.composite(Image.new("RGB", (width, height), bottom), Image.new("RGB", (width, height), top), mask)


def _hill(chance: Random, level: float, width: int, height: int) -> list[tuple[float, float]]:
    summit, slope = chance.uniform(0.2, 0.8), chance.uniform(0.4, 1.4)
    crest = [
        (width * part / 40, height * (level + chance.uniform(0, 0.004) + slope * (part / 40 - summit) ** 2))
        for part in range(41)
    ]
    return [(0.0, float(height)), *crest, (float(width), float(height))]


def _colour(chance: Random, darkest: int, lightest: int) -> Colour:
    red, green, blue = (chance.randint(darkest, lightest) for _ in range(3))
    return red, green, blue
