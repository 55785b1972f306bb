"""A running stack: servers, sandbox, services, in the order in which they need each other."""

import asyncio
import contextlib
import logging
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nats

from common.contracts import topology
from common.messaging.streams import migrate_topology
from common.postgres import Database, migrate
from common.settings import load_settings
from postroom.stack import running
from postroom.stack.ports import ApiAddress, free_port
from postroom.stack.processes import ProcessFailed, SupervisedProcess
from postroom.stack.scene import set_scene
from postroom.stack.servers import Servers
from postroom.stack.surroundings import (
    announced,
    canary,
    given_settings,
    media_links,
    real_parts,
    sandbox_environment,
)

log = logging.getLogger(__name__)

# Whoever consumes starts before who emits.
SERVICES = ("api", "userbot", "scheduler", "publisher", "imagegen", "rewriter", "collector")
LOG_BYTES = 20 * 2**20  # a log that is larger at the start is put aside, and the one before it goes
SANDBOX_SECONDS = 120.0  # a large corpus takes a while to load


@dataclass(frozen=True, slots=True)
class StackOptions:
    """What `postroom up` was asked for."""

    data: Path
    services: Sequence[str] = SERVICES
    sandbox: bool = True
    corpus: Path | None = None
    pacing: str = "demo"  # off, demo or real
    single_process: bool = False


class Stack:
    """Everything that runs. Use `running_stack`."""

    def __init__(self, options: StackOptions) -> None:
        self.options = options
        self.given = given_settings()
        self.servers = Servers(
            options.data,
            nats_url=self.given.get("NATS_URL"),
            database_url=self.given.get("DATABASE_URL"),
        )
        self.processes: list[SupervisedProcess] = []
        self.announcement: dict[str, Any] = {}
        self.api_url: str | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._failed: asyncio.Future[None] | None = None

    @property
    def real_parts(self) -> list[str]:
        """What reaches the real world, although the sandbox runs."""
        return real_parts(self.given) if self.options.sandbox else ["Telegram", "the model"]

    @property
    def pacing(self) -> str:
        """How fast is published: never faster than the real Telegram allows."""
        return "real" if self.options.pacing == "demo" and "Telegram" in self.real_parts else self.options.pacing

    @property
    def pages(self) -> dict[str, str]:
        """What can be looked at: the API, and the sandbox's pages where what was sent can be read."""
        api = {"API (docs/api.md)": self.api_url} if self.api_url else {}
        if not self.announcement or "Telegram" in self.real_parts:
            return api
        [destination] = self.announcement["telegram"]["destinations"]
        url = self.announcement["http"]["url"]
        return {
            "Read the destination channel": f"{url}/chats/{destination['id']}",
            "Sources, and chats that are broadcast to": f"{url}/",
            **api,
        }

    async def wait(self) -> None:
        """Wait until a process fails for good. Raises ProcessFailed."""
        assert self._failed
        await asyncio.shield(self._failed)

    async def start(self) -> None:
        """Start everything. Raises ServerError or ProcessFailed, with what is wrong."""
        self._failed = asyncio.get_running_loop().create_future()
        await self.servers.start()
        await self.migrate()
        environment = {"DATABASE_URL": self.servers.database_url, "NATS_URL": self.servers.nats_url}
        if self.options.sandbox:
            await self._start_sandbox()
            if "Telegram" not in self.real_parts:  # the sandbox's channels mean nothing to the real Telegram
                async with Database.connect(self.servers.database_url, size=2) as database:
                    await set_scene(database, self.announcement, demo=self.options.corpus is None)
            environment |= sandbox_environment(self.announcement, self.given)
            if self.options.corpus is None:  # whose posts are counted
                environment |= canary(self.announcement, self.given)
        environment |= self._pace()
        if "api" in self.options.services:
            environment |= self._api()
            if self.options.sandbox and self.api_url:
                environment |= media_links(self.api_url.removesuffix("/api/v1"), self.given)
        if "collector" in self.options.services:  # a session in two places is destroyed
            environment["USERBOT_OWN_SESSION"] = "true"
        if self.options.single_process:
            self._supervise("postroom.stack.together", environment, *self.options.services)
        else:
            for name in self.options.services:
                self._supervise(name, environment)
        self._task(self.servers.watch(self._note))
        self._note()

    async def migrate(self) -> None:
        """Bring the database and the streams up to date."""
        await migrate(self.servers.database_url)
        client = await nats.connect(self.servers.nats_url)
        await migrate_topology(client.jetstream(), topology())
        await client.close()

    async def stop(self) -> None:
        """Stop everything, in the opposite order: services drain before their servers go."""
        services = [process for process in self.processes if process.name != "sandbox"]
        await asyncio.gather(*(process.stop() for process in services))
        for process in self.processes:
            await process.stop()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.servers.stop()
        running.file().unlink(missing_ok=True)

    async def _start_sandbox(self) -> None:
        state = self.options.data / "sandbox"
        state.mkdir(parents=True, exist_ok=True)
        (state / "sandbox.json").touch()
        before = (state / "sandbox.json").stat().st_mtime_ns
        environment = {
            "SANDBOX_STATE": str(state),
            "SANDBOX_LIMITS": "real" if self.options.pacing == "real" else "off",
        }
        if self.options.corpus:
            environment["SANDBOX_CORPUS"] = str(self.options.corpus)
        process = self._supervise("sandbox", environment)
        loop = asyncio.get_running_loop()
        end = loop.time() + SANDBOX_SECONDS
        while (state / "sandbox.json").stat().st_mtime_ns == before:
            if self._failed and self._failed.done():
                self._failed.result()
            if loop.time() > end or process.restarts > 1:
                raise ProcessFailed(f"the sandbox did not start; its log is {self._log('sandbox')}")
            await asyncio.sleep(0.05)
        self.announcement = announced(state)

    def _pace(self) -> dict[str, str]:
        match self.pacing:
            case "off":
                return {
                    "PUBLISH_PACING": "off",
                    "COLLECT_BACKFILL": "0",
                    "MIN_SECONDS_BETWEEN_CHATS": "0",
                    "MAX_SECONDS_BETWEEN_CHATS": "0",
                }
            case "demo":  # faster than Telegram would like, and said so; nothing leaves the machine
                return {
                    "TELEGRAM_POSTS_PER_HOUR": "3600",
                    "TELEGRAM_CHAT_MESSAGES_PER_SECOND": "5",
                    "COLLECT_BACKFILL": "0",
                    "MIN_SECONDS_BETWEEN_CHATS": "0.5",
                    "MAX_SECONDS_BETWEEN_CHATS": "1.5",
                    **{
                        f"{platform.upper()}_POSTS_PER_HOUR": "3600"
                        for platform in ("Instagram", "X")
                        if platform not in self.real_parts
                    },
                }
            case _:
                return {}

    def _api(self) -> dict[str, str]:
        """Where the API listens: elsewhere where its port is taken, by another stack for example."""
        wanted = load_settings(ApiAddress)
        port = free_port(wanted.api_port, wanted.api_host)
        self.api_url = f"http://{wanted.api_host}:{port}/api/v1"
        return {"API_PORT": str(port)}

    def _supervise(self, name: str, environment: dict[str, str], *arguments: str) -> SupervisedProcess:
        log_file = self._log(name)
        log_file.parent.mkdir(parents=True, exist_ok=True)
        if log_file.exists() and log_file.stat().st_size > LOG_BYTES:
            log_file.replace(log_file.with_suffix(".log.1"))
        process = SupervisedProcess(name, [sys.executable, "-m", name, *arguments], environment, log_file, self._note)
        self.processes.append(process)
        self._task(process.run())
        return process

    def _log(self, name: str) -> Path:
        return self.options.data / "logs" / f"{name}.log"

    def _task(self, work: Any) -> None:
        task = asyncio.create_task(work)
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) and self._failed and not self._failed.done():
            self._failed.set_exception(error)

    def _note(self) -> None:
        pids = {process.name: process.pid for process in self.processes if process.pid}
        running.Running(
            pid=os.getpid(),
            data=str(self.options.data),
            nats_url=self.servers.nats_url,
            database_url=self.servers.database_url,
            sandbox_url=self.announcement["http"]["url"] if self.announcement else None,
            api_url=self.api_url,
            pids=pids | self.servers.pids,
        ).write()


@asynccontextmanager
async def running_stack(options: StackOptions) -> AsyncIterator[Stack]:
    """Run a stack for a block. Raises AlreadyRunning, ServerError or ProcessFailed."""
    running.HOME.mkdir(exist_ok=True)
    options.data.mkdir(parents=True, exist_ok=True)
    async with AsyncExitStack() as exits:
        exits.enter_context(running.only_one(running.HOME))
        exits.enter_context(running.only_one(options.data))  # it may be another directory's as well
        running.clear_leftovers()
        stack = Stack(options)
        exits.push_async_callback(stack.stop)
        await stack.start()
        yield stack
        with contextlib.suppress(asyncio.InvalidStateError):
            if stack._failed:
                stack._failed.cancel()
