"""Posts of an account on X as it lists them, compared with what was to be posted."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from unicodedata import normalize

from common.planning.x_addresses import addresses
from common.sends import Inconclusive
from publisher.adapters.x_calls import XCalls

PAGE, PAGES = 100, 5
SLACK = timedelta(seconds=30)  # between X's clock and ours
FIELDS = "conversation_id,created_at,entities"
ATTACHED = re.compile(r"/(?:photo|video)/\d+$")


async def newer_posts(calls: XCalls, account: str, since: datetime) -> list[Mapping[str, Any]]:
    """Return the posts of an account since a time, the oldest first. Raises Inconclusive where they are too many."""
    path = f"/2/users/{calls.tokens.credentials(account).user_id}/tweets"
    start = (since - SLACK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    asked: dict[str, Any] = {"max_results": PAGE, "start_time": start, "post.fields": FIELDS}
    found: list[Mapping[str, Any]] = []
    for _ in range(PAGES):
        answer = await calls.ask(account, "GET", path, operation="GET timeline", params=asked)
        found += [post for post in answer.get("data", []) if "id" in post]
        following = answer.get("meta", {}).get("next_token")
        if not following:
            return sorted(found, key=lambda post: int(post["id"]))
        asked["pagination_token"] = following
    raise Inconclusive(f"{account} has posted more than {PAGE * PAGES} times since")


def first_like(
    posts: Sequence[Mapping[str, Any]], text: str, taken: frozenset[int], thread: Sequence[int]
) -> int | None:
    """Return the oldest post that says this and belongs to nothing else: the next of a thread, or the first of one."""
    wanted = _comparable(text, addresses(text))
    for post in posts:
        number = int(post["id"])
        conversation = str(post.get("conversation_id", number if not thread else thread[0]))
        if number in taken or conversation != str(thread[0] if thread else number):
            continue
        if (not thread or number > thread[-1]) and _shown(post) == wanted:
            return number
    return None


def _shown(post: Mapping[str, Any]) -> str:
    """Return the text of a post as it was given: X replaces addresses, and adds one for what is attached."""
    text = normalize("NFC", str(post.get("text", "")))
    urls = post.get("entities", {}).get("urls", [])
    parts, done = [], 0
    for url in sorted(urls, key=lambda url: url["start"]):
        attached = "media_key" in url or ATTACHED.search(url.get("expanded_url", ""))
        shown = "" if attached else url.get("expanded_url", url.get("url", ""))
        parts += [unescape(text[done : url["start"]]), _bare(shown)]
        done = url["end"]
    return _tidy("".join([*parts, unescape(text[done:])]))


def _comparable(text: str, spans: Sequence[tuple[int, int]]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts += [text[done:start], _bare(text[start:end])]
        done = end
    return _tidy("".join([*parts, text[done:]]))


def _bare(url: str) -> str:
    return re.sub(r"^https?://", "", url, flags=re.IGNORECASE).rstrip("/")


def _tidy(text: str) -> str:
    return " ".join(text.split())
