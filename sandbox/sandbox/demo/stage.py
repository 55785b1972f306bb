"""Setting the scene: the demo's channels and feed, or the channels of a corpus."""

import re
from mimetypes import guess_type
from pathlib import Path

from sandbox.demo.cast import Cast
from sandbox.demo.content import DemoChannel, DemoFeed, DemoPost, DemoTalk, file_content
from sandbox.demo.pictures import picture
from sandbox.feeds.shelf import FeedAbout, Shelf
from sandbox.markdown import parse_markdown
from sandbox.telegram.chats import Chat
from sandbox.telegram.people import User
from sandbox.telegram.seed import seed_channel
from sandbox.telegram.world import World

MINUTES_BETWEEN_DEMO_POSTS = 47


def stage_channel(world: World, cast: Cast, channel: DemoChannel) -> Chat:
    """Add a demo channel that the collector is a member of, with its history where it has none yet."""
    chat = world.add_channel(channel.title, channel.username, cast.editor, members=[cast.collector])
    cast.sources.append(chat)
    if world.message_count(chat.id) == 0:
        oldest = world.clock() - len(channel.posts) * MINUTES_BETWEEN_DEMO_POSTS * 60
        for number, post in enumerate(channel.posts):
            write(world, chat, post, date=oldest + number * MINUTES_BETWEEN_DEMO_POSTS * 60)
    return chat


def stage_talk(world: World, cast: Cast, talk: DemoTalk) -> list[User]:
    """Add the chats that are broadcast to, with the userbot's account among their people; returns the people."""
    people = [world.add_user(name) for name in talk.people]
    for each in talk.chats:
        chat = world.add_channel(each.title, each.username, cast.editor, each.kind, members=[cast.userbot, *people])
        cast.broadcast_chats.append(chat)
    return people


def stage_feed(shelf: Shelf, feed: DemoFeed) -> None:
    """Add a demo feed with its items, where the shelf holds none of its name yet."""
    if shelf.get(feed.name) is None:
        shelf.open(FeedAbout.model_validate(feed.model_dump(include=set(FeedAbout.model_fields))))
        for item in feed.items:
            shelf.add(feed.name, item)


def stage_corpus(world: World, cast: Cast, directory: Path) -> None:
    """Make every `*.jsonl` of a directory a channel that the collector is a member of.

    Raises FileNotFoundError where there is none.
    """
    paths = sorted(directory.glob("*.jsonl"))
    if not paths:
        raise FileNotFoundError(f"There is no *.jsonl file in {directory}")
    for path in paths:
        username = "corpus_" + re.sub(r"\W+", "_", path.stem, flags=re.ASCII).strip("_")[:24]
        chat = seed_channel(world, path, cast.editor, username).chat
        world.add_member(chat, cast.collector)
        cast.sources.append(chat)


def write(world: World, chat: Chat, post: DemoPost, date: float | None = None, author: User | None = None) -> None:
    """Post in a chat as a person would; several photos become an album, whose first one carries the text."""
    text, entities = parse_markdown(post.text)
    if post.document:
        kind = guess_type(post.document)[0] or "application/octet-stream"
        media = world.document(file_content(post.document), post.document, kind)
        world.post(chat, text, entities, media=media, date=date, author=author)
        return
    if not post.photos:
        world.post(chat, text, entities, date=date, author=author)
        return
    album = int(world.clock() * 1000) * 100 + world.message_count(chat.id) % 100 if post.photos > 1 else None
    for number in range(post.photos):
        media = world.photo(picture(len(post.text) * 10 + number))
        caption, marks = (text, entities) if number == 0 else ("", [])
        world.post(chat, caption, marks, media=media, date=date, author=author, grouped_id=album)
