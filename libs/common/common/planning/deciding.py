"""What a route decides for a post, and what the model is asked for: the rules of services and of dry runs."""

from typing import Literal, NamedTuple

from common.catalog import Route
from common.planning.limits import TELEGRAM_CAPTION, TELEGRAM_TEXT


class Waits(NamedTuple):
    """Why a rewritten post does not go out yet."""

    decision: Literal["illustrate", "hold"]
    reason: str


def waits(route: Route, *, illustrate: bool, without: str = "") -> Waits | None:
    """Return what a rewritten post waits for: its image first, then a person; None where it goes out.

    `without` says why it will have no image.
    """
    if illustrate:
        return Waits("illustrate", "waits for its image")
    if route.approval:
        return Waits("hold", ", ".join(filter(None, ("awaits approval", without))))
    return None


def wants_image(route: Route, *, pictured: bool, text: bool) -> bool:
    """Whether an image is made for a post of a route: it has a text, and shows nothing by itself."""
    return route.illustrate and text and not pictured


def asked_length(max_length: int, *, media: bool) -> int:
    """Return how long the model may write, in UTF-16 code units: so that it fits under media, if there are any."""
    return min(max_length, TELEGRAM_CAPTION if media else TELEGRAM_TEXT)
