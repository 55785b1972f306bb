"""Creating and deleting posts: https://docs.x.com/x-api/posts/create-post."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.x.archive import Account, Archive, Post
from sandbox.x.errors import XProblem, forbidden, invalid
from sandbox.x.uploads import Uploads
from sandbox.x.weights import MOST, weight

TOO_LONG = (
    "Your Tweet text is too long. For more information on how Twitter determines text length see "
    "https://github.com/twitter/twitter-text."
)
# How long the same text is refused is not published; a day is what people observe.
DUPLICATE_SECONDS = 24 * 60 * 60
MOST_MEDIA = 4
TAKEN = {"text", "media", "reply"}
WITHOUT_EFFECT = {"reply_settings", "made_with_ai", "paid_partnership", "nullcast", "share_with_followers"}
UNPLAYED = {"card_uri", "community_id", "direct_message_deep_link", "edit_options", "for_super_followers_only", "geo"}
UNPLAYED |= {"poll", "quote_tweet_id"}
FORBIDDEN_CHARACTERS = re.compile("[\ufffe\uffff\ufeff\ud800-\udfff]")


@dataclass(frozen=True)
class Posting:
    """Creates and deletes posts by X's rules."""

    archive: Archive
    uploads: Uploads

    def create(self, account: Account, wanted: Mapping[str, Any]) -> Post:
        """Create a post. Raises the 400 for what is not valid, and the 403 for what was posted before.

        The 403 comes too where a reply's post is not there.
        """
        text, media, reply_to = _read(wanted)
        if not text.strip() and not media:
            raise invalid("Request body must contain text or media.", text=text)
        if FORBIDDEN_CHARACTERS.search(text):
            raise invalid("Your Tweet text has invalid characters.", text="")
        if weight(text) > MOST:
            raise invalid(TOO_LONG, text=text)
        self.uploads.attachable(account, media)
        before = self.archive.post(reply_to) if reply_to is not None else None
        if reply_to is not None and before is None:
            raise forbidden("You attempted to reply to a Tweet that is deleted or not visible to you.")
        if text.strip() and self.archive.has_same(account, text, self.archive.clock() - DUPLICATE_SECONDS):
            raise forbidden("You are not allowed to create a Tweet with duplicate content.")
        return self.archive.add_post(account, text, before, media)

    def delete(self, account: Account, number: int) -> bool:
        """Delete a post, and return whether it was there. Raises the 403 where it is another's."""
        post = self.archive.post(number)
        if post is None:
            return False
        if post.account != account.id:
            raise forbidden("You are not authorized to delete this Tweet.")
        self.archive.delete_post(post)
        return True


def number_of(given: object, name: str) -> int:
    """Return an id that was given as a string of up to 19 digits; raises the 400."""
    if not isinstance(given, str) or not re.fullmatch(r"\d{1,19}", given, re.ASCII):
        raise invalid(f"The `{name}` parameter value [{given}] does not match ^[0-9]{{1,19}}$", **{name: given})
    return min(int(given), 2**63 - 1)


def _read(wanted: Mapping[str, Any]) -> tuple[str, list[int], int | None]:
    """Return text, ids of media and the id of the post that is replied to; raises the 400."""
    for name in wanted:
        if name in UNPLAYED:
            raise invalid(f"$.{name}: the sandbox does not play this", **{name: wanted[name]})
        if name not in TAKEN | WITHOUT_EFFECT:
            raise _undefined(name)
    text = wanted.get("text", "")
    if not isinstance(text, str):
        raise invalid(f"$.text: {type(text).__name__} found, string expected", text=text)
    media, reply = _object(wanted, "media"), _object(wanted, "reply")
    numbers = media.get("media_ids", [] if "media" not in wanted else None)
    if not isinstance(numbers, list) or ("media" in wanted and not 1 <= len(numbers) <= MOST_MEDIA):
        raise invalid(f"$.media.media_ids: must be an array of 1 to {MOST_MEDIA} items", media__media_ids=numbers)
    if "reply" not in wanted:
        return text, [number_of(each, "media.media_ids") for each in numbers], None
    reply_to = number_of(reply.get("in_reply_to_tweet_id"), "reply.in_reply_to_tweet_id")
    return text, [number_of(each, "media.media_ids") for each in numbers], reply_to


def _object(wanted: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = wanted.get(name, {})
    if not isinstance(value, dict):
        raise invalid(f"$.{name}: {type(value).__name__} found, object expected", **{name: value})
    return value


def _undefined(name: str) -> XProblem:
    return invalid(f"$.{name}: is not defined in the schema and the schema does not allow additional properties")
