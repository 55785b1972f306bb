"""X as a place to publish. A text that is too long for one post becomes a thread, each post a reply to the one before.

A send has no id of ours there. So what is about to be posted is noted before; where it is not known how that ended, it
is looked for among the account's posts, and is not repeated before it is certain that it was not posted.
"""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace

from common.planning.fitting import for_x
from common.planning.x_text import thread
from common.sends import Away, Doubtful, Inconclusive, NotSent, Refused, Trouble, Unanswered, Wait
from common.telegram.text import RichText
from publisher.adapters.x_calls import Gone, Repeated, XCalls
from publisher.adapters.x_media import XMedia
from publisher.adapters.x_reading import first_like, newer_posts
from publisher.ports import Message, Progress, Sent

log = logging.getLogger(__name__)


class X:
    """The accounts of X_ACCOUNTS. Implements publisher.ports.Platform."""

    name = "x"
    has_images_made = False
    problem = None

    def __init__(self, calls: XCalls, media: XMedia) -> None:
        self._calls = calls
        self._media = media

    def canonical(self, address: str) -> str:
        """Return the name of an account of the settings."""
        return self._calls.tokens.named(address)

    def fitted(self, body: RichText, *, caption: bool) -> RichText:  # noqa: ARG002
        """Return a text without marks, cut to what a thread may have."""
        return for_x(body)

    async def ready(self) -> None:
        """Return at once: there is no connection to keep."""

    async def crowded(self, address: str) -> bool:  # noqa: ARG002
        """Return that it is no group."""
        return False

    async def newest(self, address: str) -> int:  # noqa: ARG002
        """Return 0: what is looked for is bounded by time."""
        return 0

    async def send(self, message: Message) -> Sent:
        """Post what is not posted yet."""
        record, parts, note = message.record, thread(message.body.text), None
        if not message.body.text and not message.media:
            raise Refused("there is neither text nor media")
        while len(record.progress.posts) < len(parts):
            if record.progress.trying:
                try:
                    if await self._found_next(message, parts, await record.taken()):
                        continue
                except Inconclusive as error:
                    raise Unanswered(str(error)) from None
                if not record.progress.answered:
                    raise Unanswered("it is not found among the account's posts")
            note = await self._post_next(message, parts) or note
        return self._sent(message, note)

    async def find(self, message: Message, taken: frozenset[int]) -> Sent | None:
        """Look whether what was being posted is there."""
        record, parts = message.record, thread(message.body.text)
        if record.progress.trying and not await self._found_next(message, parts, taken):
            return None
        if len(record.progress.posts) < len(parts):
            raise NotSent(f"{len(record.progress.posts)} of its {len(parts)} posts are there")
        return self._sent(message, None)

    async def delete(self, address: str, message_ids: tuple[int, ...]) -> None:
        """Delete posts, the last of a thread first."""
        for number in reversed(message_ids):
            with suppress(Gone):
                await self._calls.ask(address, "DELETE", f"/2/tweets/{number}", operation="DELETE /2/tweets")

    async def _post_next(self, message: Message, parts: Sequence[str]) -> str | None:
        """Post the next part, and return what had to be left out. What is not carried out leaves no trace."""
        account, record = message.address, message.record
        before = record.progress
        posts = before.posts
        self._calls.require_place(account, "POST /2/tweets")
        post: dict[str, object] = {"text": parts[len(posts)]} if parts[len(posts)] else {}
        note = None
        if posts:
            post["reply"] = {"in_reply_to_tweet_id": str(posts[-1])}
        elif message.media:
            uploaded = await self._media.upload(account, message.media)
            note = "; ".join(uploaded.problems) or None
            if uploaded.ids:
                post["media"] = {"media_ids": uploaded.ids}
            elif not post:
                raise Refused(f"there is no text, and {note}")
        await record.keep(Progress(posts=posts, trying=True))
        try:
            answer = await self._calls.ask(account, "POST", "/2/tweets", once=True, json=post)
            number = int(answer["data"]["id"])
        except (KeyError, TypeError, ValueError):
            raise Unanswered("X answered without the id of the post") from None
        except Doubtful:
            await record.keep(replace(record.progress, answered=True))
            raise
        except Repeated as error:
            if before.trying:  # so it was sent before; it is still to be found
                raise Unanswered(str(error)) from None
            await record.keep(Progress(posts=posts))
            raise
        except (Wait, Away, Trouble, Refused):
            await record.keep(Progress(posts=posts))
            raise
        done = Progress(posts=(*posts, number))
        if len(done.posts) < len(parts):
            await record.keep(done)
        else:  # how it ended is recorded next
            record.progress = done
        return note

    async def _found_next(self, message: Message, parts: Sequence[str], taken: frozenset[int]) -> bool:
        """Look for the post that was being sent, and note it where it is there."""
        record, posts = message.record, message.record.progress.posts
        newer = await newer_posts(self._calls, message.address, message.since)
        number = first_like(newer, parts[len(posts)], taken, posts)
        if number is None:
            return False
        log.info("x:%s: post %d was sent before", message.address, number)
        await record.keep(Progress(posts=(*posts, number)))
        return True

    def _sent(self, message: Message, note: str | None) -> Sent:
        posts = message.record.progress.posts
        return Sent(posts, f"https://x.com/{message.address}/status/{posts[0]}", note)
