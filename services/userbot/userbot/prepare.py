"""The first take of a task: what is sent, and to whom, is fixed."""

from collections.abc import Sequence

import asyncpg

from common.media.items import ALBUM_ITEMS, MediaItem
from common.postgres import Queries
from common.telegram.addresses import NoAddress, checked
from common.telegram.cutting import cut
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText
from common.telegram.titles import titled
from userbot.store import Store
from userbot.task import Failed, Forward, Material, Task

TEXT_UNITS = 4096  # UTF-16, https://core.telegram.org/bots/api#sendmessage
CAPTION_UNITS = 1024  # https://core.telegram.org/bots/api#sendphoto
SEEN = ("photo", "video", "animation")


class Preparation:
    """Fixes tasks. `default_chats` are where those go that name none."""

    def __init__(self, store: Store, default_chats: Sequence[str]) -> None:
        self._store = store
        self._default_chats = default_chats
        self._attach = Queries.load("common", "media.sql")["attach"]

    async def prepare(self, task: Task) -> Material:
        """Return what is sent, after this has been fixed. Raises Failed where there is nothing to send, or nowhere."""
        if task.material is None:
            chats = list(dict.fromkeys(_normal(chat) for chat in task.target_chat_ids or self._default_chats))
            if not chats:
                raise Failed("it names no chats, and TARGET_CHAT_IDS is not set either")
            await self._store.fix(task, await self._material(task), chats, self._attach)
        assert task.material is not None
        return task.material

    async def _material(self, task: Task) -> Material:
        if task.post_id is None:
            return _fitted(from_markdown(task.text or ""), ())
        post = await self._store.post(task.post_id)
        if post is None:
            raise Failed(f"there is no post {task.post_id}")
        if post["duplicate_of"]:
            raise Failed(f"post {task.post_id} is a duplicate of {post['duplicate_of']}")
        if task.forward:
            published = await self._store.published(task.post_id)
            if published is None:
                raise Failed(f"post {task.post_id} can't be forwarded: it is not published on Telegram")
            return Material(
                forward=Forward(published["destination"].partition(":")[2], tuple(published["message_ids"]))
            )
        if post["is_brief"] and post["rewritten"] is None:
            raise Failed(f"post {task.post_id} is a brief, and nothing was written from it yet")
        return _fitted(_body(post), _media(post))


def _fitted(body: RichText, media: tuple[MediaItem, ...]) -> Material:
    """Return a message cut to what Telegram takes."""
    body = cut(body.trimmed(), CAPTION_UNITS if media else TEXT_UNITS)
    if not body.text and not media:
        raise Failed("there is nothing to send: it has no text, and no media that were stored")
    return Material(body, media)


def _body(post: asyncpg.Record) -> RichText:
    if post["rewritten"] is not None:
        return RichText.from_json({"text": post["rewritten"], "entities": post["rewritten_entities"]})
    return titled(post["title"], RichText.from_json({"text": post["text"], "entities": post["entities"]}))


def _media(post: asyncpg.Record) -> tuple[MediaItem, ...]:
    """Return the post's own media, with the image that was made for it in front where they show nothing."""
    own = [MediaItem.from_json(item) for item in post["media"] or ()]
    if post["illustration"] and not any(item.kind in SEEN for item in own):
        own.insert(0, MediaItem.from_json(post["illustration"]))
    return tuple(own[:ALBUM_ITEMS])


def _normal(address: str) -> str:
    """Return an address in its one form; what can be none stays as it is, and will be refused by name."""
    try:
        return checked(address)
    except NoAddress:
        return address.strip()
