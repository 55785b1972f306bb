"""What a broadcast costs beyond the sends themselves: the userbot beside a bare client that sends to the same chats."""

import asyncio
import random
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from telethon.sessions.string import StringSession
from telethon.tl.functions.messages import SendMessageRequest

from benchmarks.servers import BenchServers, bench_servers
from benchmarks.telegram import BenchTelegram, bench_telegram, running
from common.postgres import Database
from common.telegram.client import call_once, connect, create_client, disconnect
from common.telegram.peers import Peers
from common.telegram.settings import TelegramSettings
from sandbox.telegram import User

SIZE = "a post of a usual length, which is sent to one chat after the other. " * 4
PATIENCE_SECONDS = 300.0
ADD = "INSERT INTO userbot_tasks (text, target_chat_ids) VALUES ($1, $2) RETURNING id"
ENDED = "SELECT sent_count FROM userbot_tasks WHERE id = $1 AND finished_at IS NOT NULL"
SPAN = """
SELECT extract(epoch FROM max(finished_at) - min(started_at))::float8 FROM broadcast_attempts WHERE task_id = $1
"""


class BroadcastFailed(Exception):
    """A task did not come to its end, or did not reach every chat."""


async def measure_broadcast(*, chats: int, rounds: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Send to so many chats, waits at zero, in turns with a bare client. Raises BroadcastFailed.

    The first task of each is not counted: it asks who the chats are, which is remembered.
    """
    say(f"broadcast: {chats} chats, {rounds} rounds")
    async with bench_servers() as servers, bench_telegram() as telegram:
        owner, account = telegram.world.add_user("Owner"), telegram.world.add_user("Userbot")
        names = [f"bench_chat_{number}" for number in range(chats)]
        for name in names:
            telegram.world.add_channel(name, name, owner, "megagroup", members=[account])
        environment = {
            **servers.environment,
            **telegram.environment,
            "TELETHON_SESSION": telegram.world.string_session(account, "127.0.0.1", telegram.server.port, "userbot"),
            "MIN_SECONDS_BETWEEN_CHATS": "0",
            "MAX_SECONDS_BETWEEN_CHATS": "0",
        }
        targets = [f"@{name}" for name in names]
        async with running("userbot", environment):
            await broadcast(servers.database, targets)
            bare, full = [], []
            for _ in range(rounds):
                bare.append(await bare_sends(servers, telegram, account, targets))
                full.append(await broadcast(servers.database, targets))
    return {
        "broadcast_ms_per_chat": round(statistics.median(full) * 1000 / chats, 2),
        "broadcast_bare_ms_per_chat": round(statistics.median(bare) * 1000 / chats, 2),
        "broadcast_overhead_ms_per_chat": round(
            statistics.median(each - beside for each, beside in zip(full, bare, strict=True)) * 1000 / chats, 2
        ),
        "broadcast_chats": chats,
    }


async def broadcast(database: Database, targets: Sequence[str]) -> float:
    """Have a text sent by the userbot; return the seconds from the first chat to the last. Raises BroadcastFailed."""
    task: UUID = (await database.strict_fetch(ADD, SIZE, list(targets)))[0]["id"]
    patient_until = time.monotonic() + PATIENCE_SECONDS
    while (ended := await database.fetchrow(ENDED, task)) is None:
        if time.monotonic() > patient_until:
            raise BroadcastFailed(f"not at its end within {PATIENCE_SECONDS:.0f} s")
        await asyncio.sleep(0.1)
    if ended["sent_count"] != len(targets):
        raise BroadcastFailed(f"{ended['sent_count']} of {len(targets)} chats have it")
    row = await database.fetchrow(SPAN, task)
    assert row
    return float(row[0])


async def bare_sends(servers: BenchServers, telegram: BenchTelegram, account: User, targets: Sequence[str]) -> float:
    """Send the same text with the client alone; return the seconds from the first chat to the last."""
    session = telegram.world.string_session(account, "127.0.0.1", telegram.server.port, "bare")
    environment = telegram.environment
    settings = TelegramSettings(
        telegram_server=environment["TELEGRAM_SERVER"],
        telegram_server_public_key=environment["TELEGRAM_SERVER_PUBLIC_KEY"],
    )
    client = create_client(StringSession(session), settings, receive_updates=False)
    await connect(client)
    try:
        peers = Peers(servers.database, client, account.id)
        places = [(await peers.resolve(target)).input_peer for target in targets]
        began = time.perf_counter()
        for place in places:
            await call_once(client, SendMessageRequest(place, SIZE.strip(), random_id=random.getrandbits(62)))
        return time.perf_counter() - began
    finally:
        await disconnect(client)
