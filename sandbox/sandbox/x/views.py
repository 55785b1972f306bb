"""Posts, users and media as JSON: the default fields, and those that are asked for.

https://docs.x.com/x-api/fundamentals/fields and https://docs.x.com/x-api/fundamentals/expansions
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from html import escape
from typing import Any

from sandbox.x.addresses import addresses
from sandbox.x.archive import Account, Archive, Media, Post
from sandbox.x.fields import NOTHING, OLDER, Asked

METRICS = ("repost_count", "reply_count", "like_count", "quote_count", "bookmark_count", "impression_count")
RETWEETED = ("retweet_count", *METRICS[1:])


@dataclass(frozen=True)
class Views:
    """Writes what an archive holds. `origin` is the address of the sandbox."""

    archive: Archive
    origin: str

    def user(self, account: Account, asked: Asked = NOTHING) -> dict[str, Any]:
        """Return a user."""
        counts = {"followers_count": 0, "following_count": 0, "post_count": self.archive.count(account)}
        known: dict[str, Any] = {
            "created_at": "2024-01-01T00:00:00.000Z",
            "protected": False,
            "verified": False,
            "url": f"{self.origin}/accounts/x/{account.username}",
            "public_metrics": counts | {"listed_count": 0},
        }
        shown = {"id": str(account.id), "name": account.username, "username": account.username}
        return shown | {name: value for name, value in known.items() if name in asked.user}

    def post(self, post: Post, asked: Asked = NOTHING) -> dict[str, Any]:
        """Return a post. Its text is as X shows it: addresses replaced by t.co ones, `&`, `<` and `>` escaped."""
        text, entities = self._shown(post)
        replied = self.archive.post(post.reply_to) if post.reply_to is not None else None
        wanted = asked.post | {name.partition(".")[0] for name in asked.expansions}
        keys = [media.key for media in self._media(post)]
        known: dict[str, Any] = {
            "author_id": str(post.account),
            "conversation_id": str(post.conversation),
            "created_at": _time(post.created_at),
            "entities": entities or None,
            "attachments": {"media_keys": keys} if keys else None,
            "in_reply_to_user_id": str(replied.account) if replied else None,
            "referenced_posts": [{"type": "replied_to", "id": str(post.reply_to)}] if post.reply_to else None,
            "public_metrics": dict.fromkeys(RETWEETED if asked.older else METRICS, 0),
        }
        shown: dict[str, Any] = {"id": str(post.id), "text": text, "edit_history_post_ids": [str(post.id)]}
        asked_for = (name for name in known if name in wanted or OLDER.get(name) in wanted)
        shown |= {name: known[name] for name in asked_for if known[name] is not None}
        return {OLDER.get(name, name): value for name, value in shown.items()} if asked.older else shown

    def includes(self, posts: Iterable[Post], asked: Asked) -> dict[str, Any]:
        """Return what the expansions ask for, each once."""
        posts = list(posts)
        included: dict[str, list[dict[str, Any]]] = {}
        if "author_id" in asked.expansions:
            accounts = {post.account: self.archive.accounts[post.account] for post in posts}
            included["users"] = [self.user(account, asked) for account in accounts.values()]
        if "attachments.media_keys" in asked.expansions:
            attached = {media.id: media for post in posts for media in self._media(post)}
            included["media"] = [self.media(media, asked) for media in attached.values()]
        if asked.expansions & {"referenced_posts", "referenced_tweets.id"}:
            numbers = {post.reply_to for post in posts if post.reply_to is not None}
            replied = [found for number in sorted(numbers) if (found := self.archive.post(number))]
            included["tweets" if asked.older else "posts"] = [self.post(post, asked) for post in replied]
        return {name: found for name, found in included.items() if found}

    def media(self, media: Media, asked: Asked = NOTHING) -> dict[str, Any]:
        """Return a media as posts include it."""
        kind = {"tweet_image": "photo", "tweet_video": "video", "tweet_gif": "animated_gif"}[media.category]
        known: dict[str, Any] = {
            "url": f"{self.origin}{media_path(media)}",
            "width": media.width,
            "height": media.height,
            "alt_text": media.alt_text or None,
        }
        shown = {name: value for name, value in known.items() if name in asked.media and value is not None}
        return {"media_key": media.key, "type": kind} | shown

    def upload(self, media: Media) -> dict[str, Any]:
        """Return a media as the endpoints of uploads answer it."""
        now = self.archive.clock()
        left = max(0, int(media.created_at + 24 * 60 * 60 - now))
        shown: dict[str, Any] = {"id": str(media.id), "media_key": media.key, "expires_after_secs": left}
        if not media.is_complete:
            return shown
        shown["size"] = media.size
        if media.width:
            shown["image"] = {"image_type": media.type, "w": media.width, "h": media.height}
        else:
            shown["video"] = {"video_type": media.type}
        if media.ready_at:
            shown["processing_info"] = _processing(media, now)
        return shown

    def _media(self, post: Post) -> list[Media]:
        return [media for number in post.media if (media := self.archive.media(number))]

    def _shown(self, post: Post) -> tuple[str, dict[str, Any]]:
        """Return the text of a post as X shows it, and its addresses as entities (positions are code points)."""
        parts: list[str] = []
        urls: list[dict[str, Any]] = []
        done = length = 0
        for address in addresses(post.text):
            before = escape(post.text[done : address.start], quote=False)
            short = shortened(f"{post.id}/{address.start}/{address.target}")
            start = length + len(before)
            length = start + len(short)
            display = address.target.partition("://")[2]
            urls.append(
                {"start": start, "end": length, "url": short, "expanded_url": address.target, "display_url": display}
            )
            parts += [before, short]
            done = address.end
        parts.append(escape(post.text[done:], quote=False))
        if attached := self._media(post):
            parts.append(" " if post.text else "")
            start = sum(map(len, parts))
            short = shortened(f"{post.id}/media")
            parts.append(short)
            username = self.archive.accounts[post.account].username
            where = f"x.com/{username}/status/{post.id}/photo/1"
            shown = {"start": start, "end": start + len(short), "url": short, "media_key": attached[0].key}
            urls.append(shown | {"expanded_url": f"https://{where}", "display_url": "pic.x.com"})
        return "".join(parts), {"urls": urls} if urls else {}


def shortened(seed: str) -> str:
    """Return an address of t.co, 23 characters long."""
    return f"https://t.co/{sha256(seed.encode()).hexdigest()[:10]}"


def media_path(media: Media) -> str:
    """Return the path at which the content of a media is."""
    return f"/accounts/x/media/{media.id}"


def _processing(media: Media, now: float) -> dict[str, Any]:
    state = media.state(now)
    if state == "in_progress":
        return {"state": "in_progress", "check_after_secs": 1, "progress_percent": 50}
    return {"state": state, "progress_percent": 100}


def _time(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
