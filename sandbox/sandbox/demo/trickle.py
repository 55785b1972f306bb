"""New posts while the sandbox runs, so that a demo has something to collect."""

import asyncio
from collections.abc import Callable
from itertools import cycle

from sandbox.demo.content import DemoChannel, DemoFeed, DemoPost, DemoTalk, varied
from sandbox.demo.stage import write
from sandbox.feeds.shelf import FeedItem, Shelf
from sandbox.telegram.chats import Chat
from sandbox.telegram.people import User
from sandbox.telegram.world import World

Step = Callable[[], None]


async def trickle(steps: list[Step], seconds: float) -> None:
    """Take one step after the other, one every `seconds`, until cancelled."""
    for step in cycle(steps):
        await asyncio.sleep(seconds)
        step()


def channel_step(world: World, chat: Chat, channel: DemoChannel) -> Step:
    """Return what writes a channel's next post. It counts the channel's messages, so a restart repeats nothing."""

    def step() -> None:
        number = world.message_count(chat.id) + 1
        template = channel.trickle[number % len(channel.trickle)]
        text = varied(template.text, number, channel.values)
        write(world, chat, template.model_copy(update={"text": text}))

    return step


def talk_step(world: World, chat: Chat, people: list[User], talk: DemoTalk) -> Step:
    """Return what lets one of the people say the next thing in a chat."""

    def step() -> None:
        number = world.message_count(chat.id) + 1
        said = talk.said[(number - chat.id) % len(talk.said)]
        text = varied(said.text, number, talk.values)
        write(world, chat, DemoPost(text=text), author=people[number % len(people)])

    return step


def feed_step(shelf: Shelf, feed: DemoFeed) -> Step:
    """Return what adds a feed's next item."""

    def step() -> None:
        known = shelf.get(feed.name)
        number = (known.count if known else 0) + 1
        template = feed.trickle[number % len(feed.trickle)]
        filled = {name: varied(text, number, feed.values) for name, text in template.items()}
        shelf.add(feed.name, FeedItem.model_validate(filled))

    return step
