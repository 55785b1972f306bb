"""The catalog: sources, profiles, routes and destinations, which the api writes and the workers read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg

from common.postgres import Database, Queries

TARGET = r"^[a-z]+:.+$"  # platform:address, such as telegram:@channel


@dataclass(frozen=True, slots=True)
class Source:
    """Where posts come from. `kind` is telegram, feed or import."""

    id: UUID
    kind: str
    address: str
    title: str
    enabled: bool
    schedule: str | None  # cron, five fields, UTC
    allow_private: bool


@dataclass(frozen=True, slots=True)
class Profile:
    """How posts are rewritten; `max_length` is in UTF-16 code units."""

    id: UUID
    name: str
    style: str
    language: str
    max_length: int
    keep: tuple[str, ...]
    instructions: str
    model: str
    version: int | None = None  # None: it is not one that is kept, but a draft


@dataclass(frozen=True, slots=True)
class RouteBroadcast:
    """What a route does with a post that was published: broadcast it to chats, as a copy or as a forward."""

    chats: tuple[str, ...] = ()  # empty: the worker's TARGET_CHAT_IDS
    delay_seconds: float = 0.0
    forward: bool = False

    def to_json(self) -> dict[str, Any]:
        """Return it as `routes.broadcast` holds it."""
        return {"chats": list(self.chats), "delay_seconds": self.delay_seconds, "forward": self.forward}


@dataclass(frozen=True, slots=True)
class Route:
    """From a source (None: every source), through a profile, to targets such as `telegram:@channel`."""

    id: UUID
    name: str
    source_id: UUID | None
    profile_id: UUID
    targets: tuple[str, ...]
    approval: bool
    illustrate: bool
    image_required: bool = False
    broadcast: RouteBroadcast | None = None
    slots: Mapping[str, Any] | None = None  # as common.planning.slots.Slots has them; None: posts go out at once
    approval_expires_hours: float | None = None  # None: what is held waits for ever


class Catalog:
    """Reads and writes the catalog. Names and addresses identify: writing the same again updates it."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = Queries.load(__package__, "catalog.sql")

    async def source(self, source_id: UUID) -> Source | None:
        """Return one source."""
        row = await self._database.fetchrow(self._sql["source"], source_id)
        return _source(row) if row else None

    async def sources(self, kind: str | None = None) -> list[Source]:
        """Return the enabled sources, all or of one kind."""
        return [_source(row) for row in await self._database.fetch(self._sql["sources"], kind)]

    async def routes_of(self, source_id: UUID | None) -> list[Route]:
        """Return the enabled routes of a source: its own, and those of every source; in the order of their names."""
        return [_route(row) for row in await self._database.fetch(self._sql["routes_of"], source_id)]

    async def route(self, route_id: UUID) -> Route | None:
        """Return one route, enabled or not."""
        row = await self._database.fetchrow(self._sql["route"], route_id)
        return _route(row) if row else None

    async def profile(self, profile_id: UUID) -> Profile | None:
        """Return one profile."""
        row = await self._database.fetchrow(self._sql["profile"], profile_id)
        return Profile(**{**dict(row), "keep": tuple(row["keep"])}) if row else None

    async def profile_named(self, name: str) -> UUID | None:
        """Return the id of a profile, or None where there is none of that name."""
        row = await self._database.fetchrow(self._sql["profile_named"], name)
        return row["id"] if row else None

    async def posts_per_hour(self, address: str) -> int | None:
        """Return the pace that was set for a destination, or None for the platform's default."""
        row = await self._database.fetchrow(self._sql["destination"], address)
        return row["posts_per_hour"] if row else None

    async def put_source(
        self, kind: str, address: str, *, title: str = "", schedule: str | None = None, allow_private: bool = False
    ) -> UUID:
        """Add or update a source and return its id."""
        return await self._put("put_source", kind, address, title, schedule, allow_private)

    async def put_profile(
        self,
        name: str,
        *,
        style: str = "",
        language: str = "",
        max_length: int = 4096,
        keep: Sequence[str] = ("links", "facts", "quotes"),
        instructions: str = "",
        model: str = "",
        by: str = "",
    ) -> UUID:
        """Add or update a profile and return its id. What is different is a new version, written `by` whom it says."""
        values = name, style, language, max_length, list(keep), instructions, model
        return await self._put("put_profile", *values, by=by)

    async def put_destination(
        self, address: str, *, title: str = "", posts_per_hour: int | None = None, is_default: bool = False
    ) -> None:
        """Add or update a destination; a new default of its platform takes the place of the old one."""
        await self._database.execute(self._sql["put_destination"], address, title, posts_per_hour, is_default)

    async def put_route(
        self,
        name: str,
        *,
        profile_id: UUID,
        targets: Sequence[str],
        source_id: UUID | None = None,
        approval: bool = False,
        illustrate: bool = False,
        image_required: bool = False,
        broadcast: RouteBroadcast | None = None,
        slots: Mapping[str, Any] | None = None,
        approval_expires_hours: float | None = None,
    ) -> UUID:
        """Add or update a route and return its id."""
        return await self._put(
            "put_route",
            name,
            source_id,
            profile_id,
            list(targets),
            approval,
            illustrate,
            image_required,
            broadcast.to_json() if broadcast else None,
            slots,
            approval_expires_hours,
        )

    async def _put(self, statement: str, *arguments: object, by: str = "") -> UUID:
        async with self._database.transaction() as connection:
            if by:
                await connection.execute(self._sql["by"], by)
            put: UUID = await connection.fetchval(self._sql[statement], *arguments)
            return put


def _source(row: asyncpg.Record) -> Source:
    return Source(**dict(row))


def _route(row: asyncpg.Record) -> Route:
    given = row["broadcast"]
    broadcast = RouteBroadcast(**{**given, "chats": tuple(given["chats"])}) if given else None
    return Route(**{**dict(row), "targets": tuple(row["targets"]), "broadcast": broadcast})
