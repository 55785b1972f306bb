"""What each platform takes: the one place where a post is measured before it is planned."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from common.media.items import MediaItem
from common.planning.plain import plain
from common.planning.refusals import NoTarget
from common.planning.x_text import MOST as X_POST
from common.planning.x_text import thread, weight
from common.telegram.text import RichText

TELEGRAM_TEXT, TELEGRAM_CAPTION = 4096, 1024  # UTF-16, https://core.telegram.org/bots/api#sendphoto
# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media
INSTAGRAM_CAPTION, INSTAGRAM_HASHTAGS, INSTAGRAM_MENTIONS = 2200, 30, 20
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


def _telegram(body: RichText, media: Sequence[MediaItem]) -> Fit:
    limit = TELEGRAM_CAPTION if media else TELEGRAM_TEXT
    count = body.utf16_length
    if count <= limit:
        return Fit(count, limit, True)
    what = "a text with media" if media else "a text"
    return Fit(count, limit, False, f"it has {count} UTF-16 code units; Telegram takes {limit} of {what}")


def _instagram(body: RichText, media: Sequence[MediaItem]) -> Fit:
    text = plain(body).text
    count = len(text)
    problems = []
    if count > INSTAGRAM_CAPTION:
        problems.append(f"it has {count} characters; Instagram takes {INSTAGRAM_CAPTION}")
    if (tags := len(HASHTAG.findall(text))) > INSTAGRAM_HASHTAGS:
        problems.append(f"it has {tags} hashtags; Instagram takes {INSTAGRAM_HASHTAGS}")
    if (mentions := len(MENTION.findall(text))) > INSTAGRAM_MENTIONS:
        problems.append(f"it has {mentions} mentions; Instagram takes {INSTAGRAM_MENTIONS}")
    if not any(item.kind in PICTURES for item in media):
        problems.append("it has no image; Instagram takes none without")
    too_long = count > INSTAGRAM_CAPTION
    return Fit(count, INSTAGRAM_CAPTION, not problems, "; ".join(problems), cuttable=len(problems) == too_long)


def _x(body: RichText, _media: Sequence[MediaItem]) -> Fit:
    text = plain(body).text
    count = weight(text)
    if count <= X_POST:
        return Fit(count, X_POST, True)
    return Fit(count, X_POST, True, f"it becomes a thread of {len(thread(text))} posts")


MEASURES: Mapping[str, Callable[[RichText, Sequence[MediaItem]], Fit]] = {
    "telegram": _telegram,
    "instagram": _instagram,
    "x": _x,
}
