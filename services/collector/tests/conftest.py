"""The collector on real servers, before the sandbox's Telegram."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg

from collector.app import run
from common.catalog import Catalog
from common.events import CollectRequested, MediaRequested, NotifyRequested, PostCollected, emitted
from common.media.store import MediaStore
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.waiting import eventually, job_of
from sandbox.faults import Fault, Faults
from sandbox.telegram import Chat, Store, TelegramServer, User, World
from sandbox.telegram.handshake import make_rsa_key


@dataclass
class Telegram:
    """The sandbox's Telegram, with the account that the collector reads with and somebody who owns channels."""

    world: World
    faults: Faults
    server: TelegramServer
    reader: User
    owner: User

    def channel(self, username: str | None, title: str = "News") -> Chat:
        """Make a channel that the reader has joined."""
        return self.world.add_channel(title, username, self.owner, members=[self.reader])

    def fault(self, method: str, kind: str, **given: Any) -> None:
        """Inject a fault into the next call of a method, or into the next `times`."""
        self.faults.add(Fault(where=f"telegram:{method}", kind=kind, **given))

    def calls(self, method: str) -> int:
        """How often a method was called."""
        return self.server.calls().get(method, 0)


@dataclass
class Stage:
    """The catalog, the records, and what the service tells."""

    database: Database
    nats: Client
    told: dict[str, list[Msg]] = field(default_factory=dict)

    async def source(self, kind: str, address: str, **given: Any) -> UUID:
        """Add a source."""
        return await Catalog(self.database).put_source(kind, address, **given)

    async def request(self, source_id: UUID) -> str:
        """Ask to collect a source; returns the id of the event."""
        event = CollectRequested(source_id=source_id)
        emit = emitted(event, event_id=str(uuid4()), consumer="test", cause_id="test")
        await self.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))
        return emit.id

    async def job(self, event_id: str, *statuses: str) -> asyncpg.Record:
        """Wait until a job is in one of `statuses`: by default, until it has ended."""
        return await job_of(self.database, event_id, *statuses)

    async def collect(self, source_id: UUID) -> asyncpg.Record:
        """Ask to collect a source, and wait for the job to end."""
        return await self.job(await self.request(source_id))

    async def posts(self, number: int | None = None) -> list[asyncpg.Record]:
        """Return all posts in the order of their ids at the source, once there are `number`."""

        async def there() -> list[asyncpg.Record] | None:
            rows = await self.database.fetch("SELECT * FROM posts ORDER BY source_id, length(external_id), external_id")
            return rows if number is None or len(rows) >= number else None

        found = await eventually(there) if number else await there()
        assert found is not None
        return found

    async def media(self, post_id: UUID) -> list[asyncpg.Record]:
        """Return what came of the media of a post, in their order, with the image that is attached at the place."""
        return await self.database.fetch(
            """
            SELECT m.kind, m.details, m.size_bytes, f.hash, f.problem, i.mime_type, i.width, i.height
            FROM post_media m LEFT JOIN media_fetches f USING (post_id, position)
            LEFT JOIN attachments a ON a.post_id = m.post_id AND a.place = 'source/' || m.position
            LEFT JOIN images i ON i.hash = a.hash
            WHERE m.post_id = $1 ORDER BY m.position
            """,
            post_id,
        )

    async def content(self, digest: str) -> bytes:
        """Return what the object store holds."""
        async with MediaStore(self.database, self.nats.jetstream()).open(digest) as file:
            return file.read()

    async def fetch(self, post_id: UUID, source_id: UUID) -> str:
        """Ask to fetch the media of a post as a person may: under an id of its own, which is returned."""
        event = MediaRequested(post_id=post_id, source_id=source_id)
        emit = emitted(event, event_id=str(uuid4()), consumer="test", cause_id="test")
        await self.nats.jetstream().publish(emit.subject, emit.payload, headers=dict(emit.headers))
        return emit.id

    async def fetching(self) -> asyncpg.Record:
        """Return the only media job, as it is now."""
        row = await self.database.fetchrow("SELECT * FROM jobs WHERE consumer = 'collector-media'")
        assert row
        return row

    async def state(self, source_id: UUID) -> asyncpg.Record:
        """Return the state of a source."""
        row = await self.database.fetchrow("SELECT * FROM source_states WHERE source_id = $1", source_id)
        assert row
        return row

    async def collected(self) -> list[UUID]:
        """Return the posts that the stream holds an event of, in its order: a repeated event is not stored."""
        stream = self.nats.jetstream()
        info = await stream.stream_info("POSTS")
        numbers = range(max(info.state.first_seq, 1), info.state.last_seq + 1)
        messages = [await stream.get_msg("POSTS", seq=number) for number in numbers]
        return [PostCollected.model_validate_json(message.data or b"").post_id for message in messages]

    async def notice(self, kind: str) -> NotifyRequested:
        """Wait for a notification of a kind."""

        async def there() -> NotifyRequested | None:
            notices = [NotifyRequested.model_validate_json(each.data) for each in self.told.get("notify.requested", ())]
            return next((notice for notice in notices if notice.kind == kind), None)

        found = await eventually(there)
        assert found
        return found

    async def idle(self) -> None:
        """Wait until nothing is left to collect."""

        async def there() -> bool:
            stream = self.nats.jetstream()
            consumers = [await stream.consumer_info("COLLECT", name) for name in ("collector", "collector-media")]
            open_jobs = await self.database.strict.fetchval(
                "SELECT count(*) FROM jobs WHERE status IN ('queued', 'in_progress')"
            )
            outbox = await self.database.strict.fetchval("SELECT count(*) FROM outbox")
            left = sum(consumer.num_pending + consumer.num_ack_pending for consumer in consumers)
            return not (left or open_jobs or outbox)

        await eventually(there)


@pytest.fixture(scope="session")
def server_key() -> str:
    """The private key of all servers: to make one takes seconds."""
    return make_rsa_key()


@pytest.fixture
async def telegram(server_key: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Telegram]:
    """A Telegram of its own, which the settings in the environment point to."""
    world, faults = World(Store(None)), Faults()
    server = TelegramServer(world, faults, rsa_key_pem=server_key)
    await server.start()
    telegram = Telegram(
        world, faults, server, world.add_user("Reader", "+10000000001"), world.add_user("Owner", "+10000000002")
    )
    monkeypatch.setenv("TELEGRAM_SERVER", f"127.0.0.1:{server.port}")
    monkeypatch.setenv("TELEGRAM_SERVER_PUBLIC_KEY", server.public_key_pem)
    monkeypatch.setenv("TELETHON_SESSION", world.string_session(telegram.reader, "127.0.0.1", server.port))
    monkeypatch.setenv("COLLECT_DEBOUNCE_SECONDS", "0.05")
    monkeypatch.setenv("CATALOG_POLL_SECONDS", "0.1")
    yield telegram
    await server.stop()
    world.store.close()


@pytest.fixture
async def stage(
    service_settings: ServiceSettings, database: Database, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> Stage:
    """A catalog without sources."""
    monkeypatch.setenv("COLLECTOR_QUEUE_BACKOFF_BASE_SECONDS", "0.01")
    monkeypatch.setenv("MEDIA_QUEUE_BACKOFF_BASE_SECONDS", "0.01")
    stage = Stage(database, nats_client)

    async def listen(message: Msg) -> None:
        stage.told.setdefault(message.subject, []).append(message)

    await nats_client.subscribe("notify.requested", cb=listen)
    return stage


@asynccontextmanager
async def serving() -> AsyncIterator[asyncio.Task[None]]:
    """Run the service; its error is an error of the test."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield task
    finally:
        stop.set()
        await task


@pytest.fixture
async def collector(stage: Stage, telegram: Telegram) -> AsyncIterator[None]:
    """The running service."""
    async with serving():
        yield
