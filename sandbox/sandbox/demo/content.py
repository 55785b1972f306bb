"""The demo content as it is written in the TOML files beside this module."""

import tomllib
from importlib.resources import files
from random import Random
from typing import Literal

from pydantic import BaseModel, ConfigDict

from sandbox.feeds.shelf import FeedAbout, FeedItem


class DemoPost(BaseModel):
    """A post in Telegram markdown; with `photos`, an album (or a single photo) whose caption is the text.

    With a `document`, which names one of `files/`, it is the text of that.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str
    photos: int = 0
    document: str = ""


class DemoChannel(BaseModel):
    """A source channel, its history (oldest first), and the templates and values that its trickle is made of."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    username: str
    posts: tuple[DemoPost, ...]
    trickle: tuple[DemoPost, ...]
    values: dict[str, tuple[str, ...]]


class DemoChat(BaseModel):
    """A chat that is broadcast to; without a username it is private."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    username: str | None = None
    kind: Literal["megagroup", "group"]


class DemoTalk(BaseModel):
    """The chats that are broadcast to, who is in them, and the templates and values of what they say."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    people: tuple[str, ...]
    chats: tuple[DemoChat, ...]
    said: tuple[DemoPost, ...]
    values: dict[str, tuple[str, ...]]


class DemoFeed(FeedAbout):
    """A feed, its items (oldest first), and its trickle."""

    items: tuple[FeedItem, ...]
    trickle: tuple[dict[str, str], ...]
    values: dict[str, tuple[str, ...]]


def load_channel(name: str) -> DemoChannel:
    """Read a channel's file."""
    return DemoChannel.model_validate(_read(name))


def load_feed(name: str) -> DemoFeed:
    """Read a feed's file."""
    return DemoFeed.model_validate(_read(name))


def load_talk() -> DemoTalk:
    """Read the file of the chats that are broadcast to."""
    return DemoTalk.model_validate(_read("chats"))


def file_content(name: str) -> bytes:
    """Return the contents of one of `files/`."""
    return (files(__package__) / "files" / name).read_bytes()


def varied(template: str, number: int, values: dict[str, tuple[str, ...]]) -> str:
    """Fill a template's places for the `number`-th time; `{number}` and `{count}` differ every time."""
    chance = Random(f"{template}/{number}")
    figures = {
        "number": number,
        # A walk through the residues of a prime: each of 90,001 figures comes once before any comes again.
        "count": 1000 + number * 7919 % 90_001,
        "small": chance.randint(2, 40),
        "percent": chance.randint(51, 99),
        "digit": chance.randint(1, 9),
        "hour": f"{chance.randint(0, 23):02}",
        "minute": f"{chance.randint(0, 59):02}",
    }
    return template.format(**figures, **{name: chance.choice(options) for name, options in values.items()})


def _read(name: str) -> dict[str, object]:
    return tomllib.loads((files(__package__) / f"{name}.toml").read_text("utf-8"))
