"""A newsroom of an invented town in the middle of its day: every table that people look at has something to show.

    await Newsroom.open(database, nats.jetstream())

What it holds is in posts.toml and house.toml. Times are relative to now. The records are balanced, as those of services
are. It is for tests and for demonstrations of what the panel shows; nothing of it is worked on.
"""

from common.testing.newsroom.newsroom import Newsroom

__all__ = ["Newsroom"]
