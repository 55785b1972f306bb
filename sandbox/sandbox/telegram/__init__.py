"""Telegram in miniature: a server that speaks MTProto to unmodified Telethon, and the world behind it."""

from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.messages import Message
from sandbox.telegram.people import User
from sandbox.telegram.seed import CorpusError, Seeded, seed_channel
from sandbox.telegram.server import TelegramServer
from sandbox.telegram.store import Store
from sandbox.telegram.world import World

__all__ = [
    "Chat",
    "CorpusError",
    "Message",
    "RpcError",
    "Seeded",
    "Store",
    "TelegramServer",
    "User",
    "World",
    "seed_channel",
]
