"""What each platform takes: the one place where a post is measured before it is planned."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from common.media.items import MediaItem
from common.planning.refusals import NoTarget
from common.telegram.links import bare_urls
from common.telegram.text import RichText

TELEGRAM_TEXT, TELEGRAM_CAPTION = 4096, 1024  # UTF-16, https://core.telegram.org/bots/api#sendphoto
# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
INSTAGRAM_CAPTION, INSTAGRAM_HASHTAGS, INSTAGRAM_MENTIONS = 2200, 30, 20
X_POST = 280  # weighted, https://docs.x.com/fundamentals/counting-characters
X_LIGHT = ((0, 4351), (8192, 8205), (8208, 8223), (8242, 8247))  # code points that count one; all others count two
X_URL = 23
PICTURES = frozenset({"photo", "video", "animation"})
HASHTAG, MENTION = re.compile(r"(?<!\w)#\w+"), re.compile(r"(?<!\w)@[\w.]+")


@dataclass(frozen=True, slots=True)
class Fit:
    """How long a post is for a platform, in the units that it counts. `note` says what stands in the way, or follows.

    `cuttable`: only its length stands in the way, so that a cut helps.
    """

    count: int
    limit: int
    fits: bool
    note: str = ""
    cuttable: bool = True


def check(platform: str, body: RichText, media: Sequence[MediaItem] = ()) -> Fit:
    """Measure a post with its media as a platform does. Raises NoTarget for a platform that is not known."""
    measure = MEASURES.get(platform)
    if measure is None:
        raise NoTarget(f"there is no platform {platform!r}; there are {', '.join(MEASURES)}")
    return measure(body.trimmed(), media)


def x_length(text: str) -> int:
    """Return the weighted length of a text on X."""
    return _weight(text) + sum(X_URL - _weight(text[start:end]) for start, end in bare_urls(text))


def _telegram(body: RichText, media: Sequence[MediaItem]) -> Fit:
    limit = TELEGRAM_CAPTION if media else TELEGRAM_TEXT
    count = body.utf16_length
    if count <= limit:
        return Fit(count, limit, True)
    what = "a text with media" if media else "a text"
    return Fit(count, limit, False, f"it has {count} UTF-16 code units; Telegram takes {limit} of {what}")


def _instagram(body: RichText, media: Sequence[MediaItem]) -> Fit:
    count = len(body.text)
    problems = []
    if count > INSTAGRAM_CAPTION:
        problems.append(f"it has {count} characters; Instagram takes {INSTAGRAM_CAPTION}")
    if (tags := len(HASHTAG.findall(body.text))) > INSTAGRAM_HASHTAGS:
        problems.append(f"it has {tags} hashtags; Instagram takes {INSTAGRAM_HASHTAGS}")
    if (mentions := len(MENTION.findall(body.text))) > INSTAGRAM_MENTIONS:
        problems.append(f"it has {mentions} mentions; Instagram takes {INSTAGRAM_MENTIONS}")
    if not any(item.kind in PICTURES for item in media):
        problems.append("it has no image; Instagram takes none without")
    too_long = count > INSTAGRAM_CAPTION
    return Fit(count, INSTAGRAM_CAPTION, not problems, "; ".join(problems), cuttable=len(problems) == too_long)


def _x(body: RichText, _media: Sequence[MediaItem]) -> Fit:
    count = x_length(body.text)
    if count <= X_POST:
        return Fit(count, X_POST, True)
    return Fit(count, X_POST, True, f"it becomes a thread of about {math.ceil(count / X_POST)} posts")


def _weight(text: str) -> int:
    return sum(1 if any(low <= ord(char) <= high for low, high in X_LIGHT) else 2 for char in text)


MEASURES: Mapping[str, Callable[[RichText, Sequence[MediaItem]], Fit]] = {
    "telegram": _telegram,
    "instagram": _instagram,
    "x": _x,
}
