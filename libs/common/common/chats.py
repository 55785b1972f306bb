"""The chats that posts are broadcast to: what people say of them, and what the userbot has learnt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.postgres import Database, Queries
from common.telegram.addresses import checked


@dataclass(frozen=True, slots=True)
class Chat:
    """A chat. `messages_since_post` were written by others since our last post; `flag` says what stands in the way."""

    address: str
    title: str
    enabled: bool
    min_messages_between: int
    peer_id: int | None
    last_success_post_at: datetime | None
    messages_since_post: int
    flag: str | None
    flag_reason: str | None
    flagged_at: datetime | None


@dataclass(frozen=True, slots=True)
class ChatEntry:
    """What a person says of a chat; None leaves what is known, or the default. Raises NoAddress, ValueError."""

    address: str
    title: str | None = None
    min_messages_between: int | None = None
    enabled: bool | None = None

    def __post_init__(self) -> None:
        """Bring the address into its normal form."""
        object.__setattr__(self, "address", checked(self.address))
        if self.min_messages_between is not None and self.min_messages_between < 0:
            raise ValueError(f"{self.min_messages_between} messages between two posts: it must be 0 or more")


class Chats:
    """Reads and writes chats."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "chats.sql")

    async def all(self) -> list[Chat]:
        """Return all chats, by address."""
        return [Chat(**dict(row)) for row in await self._database.fetch(self._sql["list"])]

    async def put(self, entries: Sequence[ChatEntry]) -> int:
        """Add or update chats, all or none, each address once; return how many are new."""
        once = {entry.address: entry for entry in entries}.values()
        rows = await self._database.strict_fetch(
            self._sql["put"],
            [entry.address for entry in once],
            [entry.title for entry in once],
            [entry.min_messages_between for entry in once],
            [entry.enabled for entry in once],
        )
        return sum(row["added"] for row in rows)
