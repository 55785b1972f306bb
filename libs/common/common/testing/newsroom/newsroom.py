"""Opens the newsroom: first what is configured, then posts on their way, then what happened around them."""

import tomllib
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any
from uuid import UUID

from nats.js import JetStreamContext

from common.postgres import Database
from common.testing.newsroom.around import surround
from common.testing.newsroom.house import build
from common.testing.newsroom.on_their_way import bring


@dataclass
class Newsroom:
    """What there is, by name: `posts` by their state, in the order of posts.toml; the others by their keys."""

    database: Database
    stream: JetStreamContext
    posts: dict[str, list[UUID]] = field(default_factory=dict)
    in_order: list[UUID] = field(default_factory=list)
    sources: dict[str, UUID] = field(default_factory=dict)
    profiles: dict[str, UUID] = field(default_factory=dict)
    routes: dict[str, UUID] = field(default_factory=dict)
    route_of: dict[str, str] = field(default_factory=dict)  # by the source's key
    rules: dict[str, UUID] = field(default_factory=dict)
    scheduled: list[UUID] = field(default_factory=list)  # the ids of scheduled posts, also of those called off
    broadcasts: list[UUID] = field(default_factory=list)
    jobs: list[str] = field(default_factory=list)  # consumer/event, of those that failed
    operations: list[UUID] = field(default_factory=list)
    trials: list[UUID] = field(default_factory=list)  # of the profile "city"
    checks: list[UUID] = field(default_factory=list)  # of sources
    budgets: list[UUID] = field(default_factory=list)
    webhooks: list[UUID] = field(default_factory=list)
    letters: list[int] = field(default_factory=list)  # the numbers of dead letters
    images: list[str] = field(default_factory=list)  # their hashes

    @classmethod
    async def open(cls, database: Database, stream: JetStreamContext) -> "Newsroom":
        """Fill an empty database, and the streams that lists are read from."""
        room = cls(database, stream)
        await build(room, content("house"))
        for post in content("posts")["posts"]:
            await bring(room, post)
        await surround(room, content("house"))
        await database.execute("ANALYZE")
        return room


@cache
def content(name: str) -> dict[str, Any]:
    """Return what a file beside this one says."""
    return tomllib.loads(files(__package__).joinpath(f"{name}.toml").read_text("utf-8"))
