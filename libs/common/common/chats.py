"""The chats that posts are broadcast to: what people say of them, and what the userbot has learnt."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from common.postgres import Database, Queries
from common.telegram.addresses import checked


class NoSuchChat(Exception):
    """No chat of this address is listed."""


@dataclass(frozen=True, slots=True)
class Removal:
    """What came of deleting a chat: it is gone, or only disabled where `because` says what refers to it."""

    address: str
    because: str | None = None


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

    async def disable(self, addresses: Sequence[str]) -> None:
        """Have nothing sent to chats any more, all or none. Raises NoSuchChat."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(self._sql["disable"], addresses)
            _all_there(addresses, {row["address"] for row in rows})

    async def delete(self, addresses: Sequence[str]) -> list[Removal]:
        """Delete the chats that nothing refers to, and disable the others, all or none. Raises NoSuchChat."""
        async with self._database.transaction() as connection:
            rows = await connection.fetch(self._sql["referred"], addresses)
            _all_there(addresses, {row["address"] for row in rows})
            found = {row["address"]: Removal(row["address"], _because(row["route"], row["broadcasts"])) for row in rows}
            await connection.execute(self._sql["delete"], [each.address for each in found.values() if not each.because])
            await connection.fetch(self._sql["disable"], [each.address for each in found.values() if each.because])
        return [found[address] for address in dict.fromkeys(addresses)]


def _all_there(addresses: Sequence[str], found: set[str]) -> None:
    if missing := [address for address in addresses if address not in found]:
        raise NoSuchChat(f"{', '.join(missing)}: no such chat is listed")


def _because(route: str | None, broadcasts: int) -> str | None:
    if route is not None:
        return f"route {route} broadcasts to it"
    if broadcasts:
        return f"{broadcasts} {'broadcast names' if broadcasts == 1 else 'broadcasts name'} it"
    return None
