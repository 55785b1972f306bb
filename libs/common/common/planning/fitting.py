"""What each platform is sent of a text: without marks where it knows none, and cut to what it takes."""

import re
from collections.abc import Callable, Mapping

from common.planning.limits import (
    HASHTAG,
    INSTAGRAM_CAPTION,
    INSTAGRAM_HASHTAGS,
    INSTAGRAM_MENTIONS,
    MENTION,
    TELEGRAM_CAPTION,
    TELEGRAM_TEXT,
)
from common.planning.plain import plain
from common.telegram.cutting import cut
from common.telegram.text import RichText

THREAD_UNITS = 5000  # UTF-16, of a whole text on X: more than a text on Telegram has


def for_telegram(body: RichText, *, caption: bool) -> RichText:
    """Return a text cut to what Telegram takes, or takes under media."""
    return cut(body.trimmed(), TELEGRAM_CAPTION if caption else TELEGRAM_TEXT)


def for_instagram(body: RichText, *, caption: bool = True) -> RichText:  # noqa: ARG001 - it is one always
    """Return a text as a caption may be: without marks, cut, with no more hashtags and mentions than allowed."""
    text = cut(plain(body.trimmed()), INSTAGRAM_CAPTION).text
    for pattern, most in ((HASHTAG, INSTAGRAM_HASHTAGS), (MENTION, INSTAGRAM_MENTIONS)):
        text = _bounded(text, pattern, most)
    return RichText(text=text)


def for_x(body: RichText, *, caption: bool = False) -> RichText:  # noqa: ARG001 - a thread has both
    """Return a text without marks, cut to what a thread may have; `x_text.thread` divides it."""
    return cut(plain(body.trimmed()), THREAD_UNITS)


FITTED: Mapping[str, Callable[..., RichText]] = {"telegram": for_telegram, "instagram": for_instagram, "x": for_x}


def _bounded(text: str, pattern: re.Pattern[str], most: int) -> str:
    """Take the sign from the hashtags or mentions that are too many."""
    for match in list(pattern.finditer(text))[: most - 1 : -1]:
        text = text[: match.start()] + text[match.start() + 1 :]
    return text
