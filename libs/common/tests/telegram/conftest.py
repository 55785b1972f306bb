"""A sandbox Telegram, which the unmodified Telethon client talks to over MTProto."""

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from telethon import TelegramClient

from common.telegram.sessions import open_user
from common.telegram.settings import TelegramSettings
from sandbox.faults import Faults
from sandbox.telegram import Store, TelegramServer, User, World
from sandbox.telegram.handshake import make_rsa_key


@dataclass
class Telegram:
    """The server, its world, and a user and a bot in it."""

    world: World
    faults: Faults
    server: TelegramServer
    reader: User
    bot: User

    @property
    def session(self) -> str:
        """A string session of the reader."""
        return self.world.string_session(self.reader, "127.0.0.1", self.server.port)

    @property
    def settings(self) -> TelegramSettings:
        """The settings with which a service finds this server."""
        return TelegramSettings(
            telegram_server=f"127.0.0.1:{self.server.port}",
            telegram_server_public_key=self.server.public_key_pem,
        )

    async def open(self, session: str | None = None) -> TelegramClient:
        """A connected client of the reader."""
        return await open_user(session or self.session, self.settings)


@pytest.fixture(scope="session")
def server_key() -> str:
    """The private key of all servers: to make one takes seconds."""
    return make_rsa_key()


@pytest.fixture
async def telegram(server_key: str) -> AsyncIterator[Telegram]:
    """A Telegram of its own for each test."""
    world, faults = World(Store(None)), Faults()
    server = TelegramServer(world, faults, rsa_key_pem=server_key)
    await server.start()
    yield Telegram(world, faults, server, world.add_user("Reader", "+10000000001"), world.add_bot("Bot", "test_bot"))
    await server.stop()
    world.store.close()
