"""The userbot on real servers, before the sandbox's Telegram."""

import asyncio
import io
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import httpx
import pytest
from nats.aio.client import Client
from nats.aio.msg import Msg
from PIL import Image

from common.broadcasts import task_of
from common.catalog import Catalog
from common.media.store import MediaStore
from common.postgres import Database
from common.posts import Media, NewPost, Posts
from common.service import ServiceSettings
from common.telegram.entities import Entity
from common.telegram.text import RichText
from common.testing import warm
from common.testing.waiting import eventually
from sandbox.faults import Fault, Faults
from sandbox.telegram import Chat, Store, TelegramServer, User, World
from sandbox.telegram.handshake import make_rsa_key
from userbot.app import run

NUMBERS = count(1)
QUICK_LEASE_SECONDS = 2.0
QUICK = f"from common.leases import Leases; Leases.__init__.__kwdefaults__['ttl'] = {QUICK_LEASE_SECONDS}; "


@dataclass
class Stage:
    """Telegram with an account that broadcasts, the database, and the streams."""

    world: World
    faults: Faults
    server: TelegramServer
    owner: User
    account: User
    database: Database
    nats: Client
    told: defaultdict[str, list[dict[str, Any]]] = field(default_factory=lambda: defaultdict(list))
    dead: list[dict[str, str]] = field(default_factory=list)

    def chat(self, name: str | None = None, kind: str = "megagroup", *, member: bool = True) -> Chat:
        """A group that the account is in."""
        title = name or f"chat {next(NUMBERS)}"
        people = [self.account] if member else []
        return self.world.add_channel(title, name, self.owner, kind, members=people)  # type: ignore[arg-type]

    def chats(self, number: int) -> list[Chat]:
        """Several of them."""
        return [self.chat(f"chat_{next(NUMBERS)}") for _ in range(number)]

    def fault(self, kind: str, method: str = "messages.SendMessage", **given: Any) -> None:
        """Inject a fault into the next call of a method, or into the next `times`."""
        self.faults.add(Fault(where=f"telegram:{method}", kind=kind, **given))

    def texts(self, chat: Chat, of: User | None = None) -> list[str]:
        """What is to be read in a chat, oldest first."""
        return [message.text for message in self.world.messages(chat.id, limit=10_000, of=of)]

    def calls(self, method: str = "messages.SendMessage") -> int:
        """How often a method was called."""
        return self.server.calls().get(method, 0)

    def session(self, user: User | None = None, label: str = "userbot") -> str:
        """A session of an account."""
        return self.world.string_session(user or self.account, "127.0.0.1", self.server.port, label)

    async def post(self, text: str, entities: Sequence[Entity] = (), media: Sequence[Media] = ()) -> UUID:
        """Bring a post in, as a collector does."""
        source = await Catalog(self.database).put_source("import", "tests")
        body = RichText(text=text, entities=tuple(entities))
        (brought,) = await Posts(self.database).add([NewPost(source, str(next(NUMBERS)), body, media=tuple(media))])
        return brought.post_id

    async def pictured(self, text: str, pictures: Sequence[bytes]) -> UUID:
        """Bring a post in with photos that are in the object store and attached to it."""
        media = [Media("photo", {"url": f"https://example.com/{number}"}) for number in range(len(pictures))]
        post = await self.post(text, media=media)
        store = MediaStore(self.database, self.nats.jetstream())
        for number, content in enumerate(pictures, 1):
            image = await store.keep_picture(io.BytesIO(content), origin="source")
            await self.database.execute(
                "SELECT attach_images($1::uuid[], $2::text[], $3::text[])", [post], [f"source/{number}"], [image.hash]
            )
        return post

    async def published(self, post: UUID, chat: Chat, message_ids: Sequence[int]) -> None:
        """Record that a post was published in a channel, as the publisher does."""
        package = f"package-{next(NUMBERS)}"
        await self.database.execute(
            "INSERT INTO publish_packages (id, post_id, status) VALUES ($1, $2, 'succeeded')", package, post
        )
        await self.database.execute(
            """INSERT INTO publications (id, package_id, post_id, destination, status, text, message_ids, finished_at)
               VALUES ($1, $2, $3, $4, 'succeeded', '', $5, now())""",
            uuid4(),
            package,
            post,
            f"telegram:@{chat.username}",
            list(message_ids),
        )

    async def request(self, **payload: Any) -> UUID:
        """Ask for a broadcast, as a person types it; return the id of the task that it becomes."""
        number = f"request-{next(NUMBERS)}"
        data = json.dumps(payload, default=str).encode()
        await self.nats.jetstream().publish("broadcast.requested", data, headers={"Nats-Msg-Id": number})
        return task_of(number)

    async def insert(self, **values: Any) -> UUID:
        """Insert a row by hand, as operators do."""
        names = ", ".join(values)
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        (row,) = await self.database.strict_fetch(
            f"INSERT INTO userbot_tasks ({names}) VALUES ({places}) RETURNING id", *values.values()
        )
        return UUID(str(row["id"]))

    async def sql(self, statement: str, *arguments: Any) -> list[asyncpg.Record]:
        """Read or change the database."""
        return await self.database.strict.fetch(statement, *arguments)

    async def task(self, task: UUID) -> asyncpg.Record:
        """The row of a task."""
        (row,) = await self.sql("SELECT * FROM userbot_tasks WHERE id = $1", task)
        return row

    async def until(self, task: UUID, *statuses: str, within: float = 20.0, **values: Any) -> asyncpg.Record:
        """Wait until a task has one of these statuses, by default until it has ended, and these values."""
        wanted = statuses or ("done", "failed", "cancelled")

        async def there() -> asyncpg.Record | None:
            rows = await self.sql("SELECT * FROM userbot_tasks WHERE id = $1", task)
            row = rows[0] if rows else None
            fits = row and row["status"] in wanted and all(row[name] == value for name, value in values.items())
            return row if fits else None

        return await eventually(there, within=within)

    async def outcomes(self, task: UUID) -> dict[str, str]:
        """What came of each chat: the latest try."""
        rows = await self.sql(
            """SELECT DISTINCT ON (chat) chat, outcome FROM broadcast_attempts WHERE task_id = $1
               ORDER BY chat, attempt DESC""",
            task,
        )
        return {row["chat"]: row["outcome"] for row in rows}

    async def attempts(self, task: UUID, chat: str | None = None) -> list[asyncpg.Record]:
        """All tries, in their order."""
        return await self.sql(
            """SELECT * FROM broadcast_attempts WHERE task_id = $1 AND ($2::text IS NULL OR chat = $2)
               ORDER BY started_at""",
            task,
            chat,
        )

    async def known(self, address: str) -> asyncpg.Record:
        """What is known of a chat."""
        (row,) = await self.sql("SELECT * FROM chats WHERE address = $1", address)
        return row

    async def result(self, task: UUID) -> dict[str, Any]:
        """Wait for the result of a task and return it; there is one."""

        async def results() -> list[dict[str, Any]]:
            return [result for result in self.told["broadcast.result"] if result["task_id"] == str(task)]

        found = await eventually(results)
        assert len(found) == 1
        return found[0]

    async def notices(self, kind: str) -> list[dict[str, Any]]:
        """Wait for notices of a kind."""

        async def some() -> list[dict[str, Any]]:
            return [notice for notice in self.told["notify.requested"] if notice["kind"] == kind]

        return await eventually(some)

    async def ready(self) -> tuple[int, dict[str, str]]:
        """What the userbot's health endpoint says now."""
        rows = await self.sql("SELECT address FROM service_beats WHERE service = 'userbot' ORDER BY started_at DESC")
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{rows[0]['address']}/health/ready")
        return answer.status_code, answer.json()["problems"]

    async def metrics(self) -> dict[str, str]:
        """What the userbot measures."""
        rows = await self.sql("SELECT address FROM service_beats WHERE service = 'userbot'")
        async with httpx.AsyncClient() as client:
            answer = await client.get(f"http://{rows[0]['address']}/metrics")
        lines = (line.rpartition(" ") for line in answer.text.splitlines() if not line.startswith("#"))
        return {name: value for name, _, value in lines}


def addresses(chats: Sequence[Chat]) -> list[str]:
    """The names of chats."""
    return [f"@{chat.username}" for chat in chats]


def picture(colour: str = "navy", size: tuple[int, int] = (64, 48)) -> bytes:
    """A small PNG."""
    content = io.BytesIO()
    Image.new("RGB", size, colour).save(content, "PNG")
    return content.getvalue()


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
    """Everything around the userbot; the settings in the environment lead to it."""
    assert service_settings.database_url
    world, faults = World(Store(None)), Faults()
    server = TelegramServer(world, faults, rsa_key_pem=server_key)
    await server.start()
    owner, account = world.add_user("Owner", "+10000000001"), world.add_user("Broadcaster", "+10000000002")
    stage = Stage(world, faults, server, owner, account, database, nats_client)
    for name, value in {
        "TELEGRAM_SERVER": f"127.0.0.1:{server.port}",
        "TELEGRAM_SERVER_PUBLIC_KEY": server.public_key_pem,
        "TELETHON_SESSION": stage.session(),
        "MIN_SECONDS_BETWEEN_CHATS": "0",
        "MAX_SECONDS_BETWEEN_CHATS": "0",
        "WORKER_POLL_SECONDS": "0.5",
        "BROADCAST_QUEUE_BACKOFF_BASE_SECONDS": "0.1",
    }.items():
        monkeypatch.setenv(name, value)

    async def heard(message: Msg) -> None:
        if message.subject.startswith("dlq."):
            stage.dead.append(dict(message.headers or {}))
        else:
            stage.told[message.subject].append(json.loads(message.data))

    for subject in ("broadcast.result", "notify.requested", "dlq.>"):
        await nats_client.subscribe(subject, cb=heard)
    await nats_client.flush()
    yield stage
    await server.stop()
    world.store.close()


@asynccontextmanager
async def broadcasting() -> AsyncIterator[asyncio.Task[None]]:
    """A running userbot; it is told to stop in the end."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(stop))
    try:
        yield task
    finally:
        stop.set()
        if not task.done():
            await asyncio.wait_for(task, 20)


async def process(*, quick: bool = False) -> warm.Process:
    """A userbot as a process of its own; what it says on stderr is shown where a test fails."""
    return await warm.start("userbot", before=QUICK if quick else "")
