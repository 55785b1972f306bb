"""What the system is connected to, and how each connection is: as the services find it themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from nats.aio.client import Client

from api.statements import statement
from common.postgres import Database

State = Literal["ready", "wrong", "unset", "silent"]
SILENT_SECONDS = 15.0  # five beats


@dataclass(frozen=True, slots=True)
class Part:
    """A connection: the service that has it, its name among the service's checks, and the settings that it needs."""

    name: str
    service: str
    check: str
    settings: tuple[str, ...]
    optional: bool = False


PARTS = (
    Part("model", "rewriter", "model", ("OPENAI_API_KEY", "OPENAI_BASE_URL")),
    Part("images", "imagegen", "model", ("OPENAI_API_KEY", "OPENAI_BASE_URL")),
    Part(
        "reading", "collector", "telegram", ("TELETHON_SESSION", "TELEGRAM_API_ID", "TELEGRAM_API_HASH"), optional=True
    ),
    Part("bot", "publisher", "telegram", ("TELEGRAM_BOT_TOKEN",)),
    Part("broadcasts", "userbot", "telegram", ("USERBOT_TELETHON_SESSION",), optional=True),
    Part("instagram", "publisher", "instagram", ("INSTAGRAM_ACCOUNTS", "MEDIA_URL_SECRET"), optional=True),
    Part("x", "publisher", "x", ("X_ACCOUNTS",), optional=True),
)


@dataclass(frozen=True, slots=True)
class Connection:
    """A connection. `said` is what the service found; `settings` are the variables that it needs."""

    name: str
    state: State
    said: str
    service: str
    settings: tuple[str, ...]
    optional: bool
    at: datetime | None

    @property
    def well(self) -> bool:
        """Whether it works, or is left out by choice."""
        return self.state in ("ready", "unset") or (self.optional and self.state == "silent")


@dataclass(frozen=True, slots=True)
class Replica:
    """One process of a service."""

    service: str
    address: str
    version: str
    started_at: datetime
    beat_at: datetime
    state: State
    detail: str


@dataclass(frozen=True, slots=True)
class Connections:
    """All connections, the replicas that they are known from, and what the servers are."""

    connections: tuple[Connection, ...]
    replicas: tuple[Replica, ...]
    versions: Mapping[str, str]

    @property
    def well(self) -> bool:
        """Whether whatever is set up works."""
        return all(each.well for each in self.connections)


async def connections(database: Database, nats: Client) -> Connections:
    """Look at all of them. Raises where the database can't be reached."""
    row = await database.fetchrow(statement("connections", "server"))
    assert row
    beats = await database.fetch(statement("connections", "beats"), SILENT_SECONDS)
    own = (
        Connection("database", "ready", "", "api", ("DATABASE_URL",), False, row["at"]),
        Connection(
            "nats", "ready" if nats.is_connected else "wrong", "" if nats.is_connected else "not connected",
            "api", ("NATS_URL",), False, row["at"],
        ),
    )  # fmt: skip
    versions = {"postgresql": row["version"], "nats": _version(nats)}
    replicas = tuple(
        Replica(
            each["service"], each["address"], each["version"], each["started_at"], each["beat_at"],
            "silent" if each["silent"] else "ready" if each["ready"] else "wrong", each["detail"],
        )
        for each in beats
    )  # fmt: skip
    return Connections((*own, *(_connection(part, beats) for part in PARTS)), replicas, versions)


def _connection(part: Part, beats: list[Any]) -> Connection:
    """Of several replicas the best one counts: one holds the session, the others wait for it."""
    replicas = [beat for beat in beats if beat["service"] == part.service and not beat["silent"]]
    if not replicas:
        return _of(part, "silent", "", None)
    found = [(beat, beat["checks"].get(part.check)) for beat in replicas]
    for state in ("ready", "unset", "wrong"):
        for beat, check in found:
            if check and check["state"] == state:
                return _of(part, state, check["said"], beat["beat_at"])
    best = max(replicas, key=lambda beat: beat["ready"])  # of a release that does not tell of each check
    return _of(part, "ready" if best["ready"] else "wrong", best["detail"], best["beat_at"])


def _of(part: Part, state: State, said: str, at: datetime | None) -> Connection:
    return Connection(part.name, state, said, part.service, part.settings, part.optional, at)


def _version(nats: Client) -> str:
    if not nats.is_connected:
        return "?"
    server = nats.connected_server_version
    return f"{server.major}.{server.minor}.{server.patch}"
