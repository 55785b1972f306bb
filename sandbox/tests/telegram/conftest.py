"""A world, a server on it, and real Telethon clients over TCP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from telethon import TelegramClient
from telethon.crypto import rsa
from telethon.sessions import StringSession

from sandbox.faults import Fault, Faults
from sandbox.telegram import Chat, Store, TelegramServer, User, World
from sandbox.telegram.handshake import make_rsa_key

Connect = Callable[..., Awaitable[Any]]
HOST = "127.0.0.1"


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


async def until(condition: Callable[[], Any], seconds: float = 10.0) -> Any:
    """Wait until a condition holds and return what it gave."""
    async with asyncio.timeout(seconds):
        while not (value := condition()):  # noqa: ASYNC110 - conditions are of many kinds
            await asyncio.sleep(0.005)
        return value


@pytest.fixture
def eventually() -> Callable[..., Awaitable[Any]]:
    return until


@pytest.fixture(scope="session")
def rsa_key() -> str:
    return make_rsa_key()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path) -> Any:
    with Store(tmp_path / "telegram.db") as store:
        yield store


@pytest.fixture
def world(store: Store, clock: Clock) -> World:
    return World(store, clock=clock)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def fail(faults: Faults) -> Callable[..., int]:
    """Add a fault to a method of Telegram."""
    return lambda method, kind, **rest: faults.add(Fault(where=f"telegram:{method}", kind=kind, **rest))


@pytest.fixture
async def server(world: World, faults: Faults, rsa_key: str) -> AsyncIterator[TelegramServer]:
    server = TelegramServer(world, faults, HOST, 0, rsa_key)
    await server.start()
    rsa._server_keys.clear()
    rsa.add_key(server.public_key_pem, old=False)
    yield server
    await server.stop()


@pytest.fixture
async def new_client(server: TelegramServer) -> AsyncIterator[Callable[..., Any]]:
    """Make clients that are not connected yet, and disconnect them in the end."""
    clients = []

    def make(session: str = "", **options: Any) -> Any:
        kept = StringSession(session)
        kept.set_dc(2, HOST, server.port)
        client = TelegramClient(
            kept, 1, "hash", **{"retry_delay": 0.02, "connection_retries": 3, "raise_last_call_error": True} | options
        )
        client.flood_sleep_threshold = 0
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.disconnect()


@pytest.fixture
def connect(new_client: Callable[..., Any], world: World, server: TelegramServer) -> Connect:
    """Connect a signed-in client of a user."""

    async def connected(user: User, **options: Any) -> Any:
        client = new_client(world.string_session(user, HOST, server.port), **options)
        await client.connect()
        return client

    return connected


@pytest.fixture
def alice(world: World) -> User:
    return world.add_user("Alice", phone="+1 555 01", username="alice")


@pytest.fixture
def bob(world: World) -> User:
    return world.add_user("Bob", phone="+1 555 02", username="bob")


@pytest.fixture
def bot(world: World) -> User:
    return world.add_bot("Courier", "courier_bot")


@pytest.fixture
def news(world: World, alice: User, bob: User, bot: User) -> Chat:
    return world.add_channel("News", "newsroom", alice, members=[bob], admins=[bot])
