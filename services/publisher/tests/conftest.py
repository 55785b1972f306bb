"""The publisher on real servers, before the sandbox's Telegram."""

import asyncio
import io
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from common.catalog import Catalog
from common.events import derive
from common.media.items import Kind
from common.media.store import MediaStore
from common.postgres import Database
from common.posts import Media, NewPost, Posts
from common.service import ServiceSettings
from common.telegram.text import RichText
from common.testing.waiting import eventually
from publisher.app import run
from sandbox.faults import Fault, Faults
from sandbox.telegram import Chat, Store, TelegramServer, User, World
from sandbox.telegram.handshake import make_rsa_key

from .platforms import Platforms, playing

NUMBERS = count(1)
FINAL = {"succeeded", "failed", "cancelled", "unknown"}


@dataclass(frozen=True)
class File:
    """A medium of a post. A picture has no MIME type of its own; one without content could not be fetched."""

    kind: Kind
    content: bytes | None = None
    mime_type: str = ""
    details: dict[str, Any] = field(default_factory=dict)


@dataclass
class Stage:
    """Telegram with a bot that publishes, the database, and the streams."""

    world: World
    faults: Faults
    server: TelegramServer
    owner: User
    bot: User
    database: Database
    nats: Client
    images: MediaStore
    told: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    dead: list[dict[str, str]] = field(default_factory=list)

    def channel(self, name: str, *, admin: bool = True) -> Chat:
        """A channel, in which the bot may post, unless it is no admin."""
        people = {"admins": [self.bot]} if admin else {"members": [self.bot]}
        return self.world.add_channel(name, name, self.owner, **people)

    def fault(self, kind: str, method: str = "messages.SendMessage", **given: Any) -> None:
        """Inject a fault into the next call of a method, or into the next `times`."""
        self.faults.add(Fault(where=f"telegram:{method}", kind=kind, **given))

    def texts(self, chat: Chat) -> list[str]:
        """What is to be read in a chat, oldest first."""
        return [message.text for message in self.world.messages(chat.id, limit=10_000)]

    async def posts(self, texts: Sequence[str], source: UUID | None = None) -> list[UUID]:
        """Bring posts in, as a collector does."""
        source = source or await Catalog(self.database).put_source("import", "tests")
        posts = [NewPost(source, str(next(NUMBERS)), RichText(text=text)) for text in texts]
        await Posts(self.database).add(posts)
        return [post.id for post in posts]

    async def post(self, text: str, *files: File) -> UUID:
        """Bring a post in with media, and fetch those that have a content, as a collector does."""
        source = await Catalog(self.database).put_source("import", "tests")
        media = tuple(Media(file.kind, {"chat": -1001, "message_id": 1}, details=file.details) for file in files)
        post = NewPost(source, str(next(NUMBERS)), RichText(text=text), media=media)
        await Posts(self.database).add([post])
        for position, file in enumerate(files, 1):
            digest = None
            if file.content is not None:
                digest = await self.attach(post.id, f"source/{position}", file.content, file.mime_type)
            await self.database.execute(
                "INSERT INTO media_fetches (post_id, position, hash, problem) VALUES ($1, $2, $3, $4)",
                post.id,
                position,
                digest,
                None if digest else "too large",
            )
        return post.id

    async def attach(self, post: UUID, place: str, content: bytes, mime_type: str = "") -> str:
        """Put an image or file into the store, attach it, and return its hash."""
        if mime_type:
            kept = await self.images.keep(io.BytesIO(content), mime_type, origin="source")
        else:
            kept = await self.images.keep_picture(io.BytesIO(content), origin="source")
        await self.database.execute("SELECT attach_images($1, $2, $3)", [post], [place], [kept.hash])
        return kept.hash

    async def rewrite(self, post: UUID, text: str) -> UUID:
        """Rewrite a post, as a rewriter does."""
        number = next(NUMBERS)
        await self.database.execute(
            """INSERT INTO rewrites (id, post_id, route_id, profile_id, status, text, model, request, answer,
                   prompt_tokens, completion_tokens, cost_usd, duration_ms, created_at)
               VALUES ($1, $2, $1, $1, 'succeeded', $3, 'm', '{}', '{}', 0, 0, 0, 0, now() + $4 * interval '1 s')""",
            rewrite := derive("rewrite", number),
            post,
            text,
            number,
        )
        return rewrite

    async def request(self, **payload: Any) -> str:
        """Ask to publish, as a person types it; return the id of the package that it becomes."""
        number = f"request-{next(NUMBERS)}"
        data = json.dumps(payload, default=str).encode()
        await self.nats.jetstream().publish("publish.requested", data, headers={"Nats-Msg-Id": number})
        return number

    async def rows(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read the database."""
        return await self.database.lax.fetch(statement, *arguments)

    async def publications(self) -> list[asyncpg.Record]:
        """All publications, in the order of their lanes."""
        return await self.rows("SELECT * FROM publications ORDER BY position, destination")

    async def ended(self, package: str, *, within: float = 20.0) -> dict[str, Any]:
        """Wait for the result of a package and return it; there is one."""

        async def results() -> list[dict[str, Any]]:
            return [result for result in self.told["publish.result"] if result["package_id"] == package]

        found = await eventually(results, within=within)
        assert len(found) == 1
        return found[0]

    async def buried(self) -> dict[str, str]:
        """Wait for a dead letter and return its headers."""

        async def some() -> list[dict[str, str]]:
            return self.dead

        return (await eventually(some))[0]

    async def notices(self, kind: str) -> list[dict[str, Any]]:
        """Wait for notices of a kind."""

        async def some() -> list[dict[str, Any]]:
            return [notice for notice in self.told["notify.requested"] if notice["kind"] == kind]

        return await eventually(some)

    async def all_ended(self, number: int, *, within: float = 30.0) -> list[asyncpg.Record]:
        """Wait until so many publications have ended, and return them."""

        async def ended() -> list[asyncpg.Record] | None:
            rows = await self.publications()
            return rows if len([row for row in rows if row["status"] in FINAL]) >= number else None

        return await eventually(ended, within=within)


@pytest.fixture(scope="session")
def server_key() -> str:
    """The private key of all servers: to make one takes seconds."""
    return make_rsa_key()


@pytest.fixture
async def stage(
    server_key: str,
    database: Database,
    nats_client: Client,
    service_settings: ServiceSettings,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stage]:
    """Everything around the publisher; the settings in the environment lead to it."""
    assert service_settings.database_url
    world, faults = World(Store(None)), Faults()
    server = TelegramServer(world, faults, rsa_key_pem=server_key)
    await server.start()
    bot = world.add_bot("Publisher", "publisher_bot")
    for name, value in {
        "TELEGRAM_SERVER": f"127.0.0.1:{server.port}",
        "TELEGRAM_SERVER_PUBLIC_KEY": server.public_key_pem,
        "TELEGRAM_BOT_TOKEN": bot.token,
        "PUBLISH_PACING": "off",
        "PUBLISH_QUEUE_BACKOFF_BASE_SECONDS": "0.1",
    }.items():
        monkeypatch.setenv(name, value)
    owner = world.add_user("Owner", "+10000000001")
    stage = Stage(
        world, faults, server, owner, bot, database, nats_client, MediaStore(database, nats_client.jetstream())
    )

    async def heard(message: Msg) -> None:
        if message.subject.startswith("dlq."):
            stage.dead.append(dict(message.headers or {}))
        else:
            stage.told[message.subject].append(json.loads(message.data))

    for subject in ("publish.result", "image.requested", "notify.requested", "dlq.>"):
        await nats_client.subscribe(subject, cb=heard)
    await nats_client.flush()
    yield stage
    await server.stop()
    world.store.close()


@pytest.fixture
async def platforms(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Platforms]:
    """Instagram and X beside Telegram, with an account `demo` each."""
    async with playing(stage, monkeypatch) as platforms:
        yield platforms


@asynccontextmanager
async def publishing() -> AsyncIterator[asyncio.Task[None]]:
    """A running publisher; it is told to stop in the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield task
    finally:
        stop.set()
        if not task.done():
            await asyncio.wait_for(task, 20)
