"""Reconciliation: every post that came in is somewhere, and only once.

collected = published + scheduled + pending + awaiting + rejected + duplicates + cancelled + dead: in each source, and
in all.
"""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from common.postgres import Database, Queries

STATES = ("published", "duplicates", "rejected", "cancelled", "awaiting", "scheduled", "pending", "dead")


@dataclass(frozen=True, slots=True)
class Balance:
    """The counts of one source, or of all."""

    collected: int = 0
    states: Mapping[str, int] = field(default_factory=dict)
    balanced: bool = True

    def to_json(self) -> dict[str, Any]:
        """Return the report's keys: collected, one per state, balanced."""
        return {
            "collected": self.collected,
            **{state: self.states.get(state, 0) for state in STATES},
            "balanced": self.balanced,
        }


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """The balance of every source and of all, and in words what does not add up."""

    sources: Mapping[str, Balance]
    total: Balance
    dead_letters: int  # jobs that ended in the dead letters, whether or not they are about a post
    problems: tuple[str, ...]
    images: Mapping[str, int] = field(default_factory=dict)
    broadcasts: Mapping[str, int] = field(default_factory=dict)
    scheduled: Mapping[str, int] = field(default_factory=dict)  # scheduled posts, by status

    @property
    def pending(self) -> int:
        """The posts that are still on their way."""
        return self.total.states.get("pending", 0)

    def to_json(self) -> dict[str, Any]:
        """Return the whole report."""
        return {
            "sources": {name: balance.to_json() for name, balance in self.sources.items()},
            "total": self.total.to_json(),
            "images": dict(self.images),
            "broadcasts": dict(self.broadcasts),
            "scheduled": dict(self.scheduled),
            "dead_letters": self.dead_letters,
            "problems": list(self.problems),
        }


async def reconcile(database: Database, *, idle: bool) -> Reconciliation:
    """Count, and check each count against what other stages wrote.

    `idle` says that no stream holds a message: then a pending post must have a next step in the records, or it is lost.
    """
    sql = Queries.load(__package__, "reconciliation.sql")
    async with database.strict.acquire() as connection, connection.transaction(isolation="repeatable_read"):
        collected = {row["source"]: row["posts"] for row in await connection.fetch(sql["collected"])}
        states: defaultdict[str, dict[str, int]] = defaultdict(dict)
        for row in await connection.fetch(sql["states"]):
            states[row["source"]][row["state"]] = row["posts"]
        dead_letters = await connection.fetchval(sql["dead_letters"])
        images, broadcasts = await connection.fetchrow(sql["images"]), await connection.fetchrow(sql["broadcasts"])
        scheduled = await connection.fetchrow(sql["scheduled"])
        assert images
        assert broadcasts
        assert scheduled
        found = await connection.fetch(sql["contradictions"])
        if idle:
            found += await connection.fetch(sql["strays"])
    problems = [row["problem"] for row in found]
    doubtful = {row["source"] for row in found}
    sources = {
        name: Balance(count, states[name], balanced=name not in doubtful and count == sum(states[name].values()))
        for name, count in collected.items()
    }
    totals = {state: sum(counts.get(state, 0) for counts in states.values()) for state in STATES}
    everything = sum(collected.values())
    balanced = not problems and everything == sum(totals.values())
    return Reconciliation(
        sources,
        Balance(everything, totals, balanced=balanced),
        dead_letters,
        tuple(problems),
        dict(images),
        dict(broadcasts),
        dict(scheduled),
    )
