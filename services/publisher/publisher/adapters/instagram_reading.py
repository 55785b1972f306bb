"""Posts of an account on Instagram as it lists them, and how many more it may publish."""

import time
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from common.sends import Inconclusive, Wait
from publisher.adapters.instagram_calls import InstagramCalls

PAGE, PAGES = 50, 10
SLACK = timedelta(seconds=30)  # between Instagram's clock and ours
DAY_SECONDS = 24 * 60 * 60  # https://developers.facebook.com/docs/instagram-platform/content-publishing#rate-limit
UNKNOWN_WAIT_SECONDS = 3600.0


async def newer_posts(calls: InstagramCalls, account: str, since: float, fields: str) -> list[Mapping[str, Any]]:
    """Return the posts of an account since a time (Unix seconds), the oldest first.

    Raises Inconclusive where they are too many.
    """
    asked: dict[str, Any] = {"fields": f"id,timestamp,{fields}", "since": int(since), "limit": PAGE}
    found: list[Mapping[str, Any]] = []
    for _ in range(PAGES):
        answer = await calls.ask(account, "GET", f"{calls.node(account)}/media", params=asked)
        found += answer.get("data", [])
        paging = answer.get("paging", {})
        if not paging.get("next"):
            return sorted(found, key=lambda post: _time(post))
        asked["after"] = paging["cursors"]["after"]
    raise Inconclusive(f"{account} has published more than {PAGE * PAGES} times since")


async def first_like(
    calls: InstagramCalls, account: str, caption: str, since: datetime, taken: frozenset[int]
) -> Mapping[str, Any] | None:
    """Return the oldest post with this caption that belongs to nothing else."""
    earliest = (since - SLACK).timestamp()
    for post in await newer_posts(calls, account, earliest, "caption,permalink"):
        if int(post["id"]) not in taken and _tidy(post.get("caption") or "") == _tidy(caption):
            return post
    return None


async def require_place(calls: InstagramCalls, account: str) -> None:
    """Raise Wait where the account may not publish any more, until one of its posts is older than the quota counts."""
    path = f"{calls.node(account)}/content_publishing_limit"
    answer = await calls.ask(account, "GET", path, params={"fields": "quota_usage,config"})
    told: Mapping[str, Any] = next(iter(answer.get("data", [])), {})
    config = told.get("config", {})
    total, duration = config.get("quota_total", 0), config.get("quota_duration", DAY_SECONDS)
    if total and told.get("quota_usage", 0) >= total:
        seconds = await _until_free(calls, account, total, duration)
        raise Wait(seconds, f"{account} has published {total} times within {duration // 3600} hours, its quota")


async def _until_free(calls: InstagramCalls, account: str, total: int, duration: int) -> float:
    now = time.time()
    try:
        posts = await newer_posts(calls, account, now - duration, "media_type")
    except Inconclusive:
        return UNKNOWN_WAIT_SECONDS
    if len(posts) < total:
        return UNKNOWN_WAIT_SECONDS
    return min(duration, max(1.0, _time(posts[-total]) + duration - now))


def _time(post: Mapping[str, Any]) -> float:
    """Return when a post was published; Instagram says it as 2026-01-01T12:00:00+0000."""
    return datetime.strptime(post["timestamp"], "%Y-%m-%dT%H:%M:%S%z").timestamp()


def _tidy(text: str) -> str:
    return " ".join(text.split())
