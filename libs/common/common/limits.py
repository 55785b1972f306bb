"""Pacing: how fast may be sent, per destination and per account, shared by all replicas.

The generic cell rate algorithm (GCRA, ITU-T I.371): one timestamp per key, the theoretical arrival time of the next
cell. It allows a burst, then a steady pace, and needs no counters or windows.
"""

from dataclasses import dataclass

from common.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Pace:
    """One send every `interval` seconds on average, up to `burst` at once."""

    interval: float
    burst: int = 1

    @classmethod
    def per_hour(cls, count: float, burst: int = 1) -> "Pace":
        """Return the pace of `count` sends an hour."""
        return cls(3600.0 / count, burst)


class Pacing:
    """The paces of all keys, in PostgreSQL. The database's clock is the only one that counts."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "limits.sql")

    async def take(self, key: str, pace: Pace) -> float:
        """Take a place now and return 0.0; or, taking nothing, return the seconds until one is free."""
        row = await self._database.fetchrow(self._sql["take"], key, pace.interval, pace.interval * (pace.burst - 1))
        return max(0.0, float(row["wait"])) if row else 0.0

    async def block(self, key: str, seconds: float) -> None:
        """Let nothing pass for that long: what a platform told us to wait."""
        await self._database.execute(self._sql["block"], key, seconds)

    async def blocked(self, key: str) -> float:
        """Return the seconds for which a key is still blocked, 0.0 where it is not."""
        row = await self._database.fetchrow(self._sql["blocked"], key)
        return max(0.0, float(row["wait"])) if row else 0.0
