"""The whole system on one machine, as a user starts it: `postroom up` in a directory of its own."""

import asyncio
import contextlib
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from typer.testing import CliRunner

from common.service import ServiceSettings
from common.testing import warm
from common.testing.waiting import eventually
from postroom.cli import app

SUBJECTS = ("мост", "парк", "трамвай", "библиотеку", "школу", "рынок", "набережную", "музей")
VERBS = ("открыли", "починили", "закрыли на ремонт", "обсудили", "построили", "осмотрели")


class Running:
    """A `postroom up` that runs."""

    def __init__(self, directory: Path, process: asyncio.subprocess.Process) -> None:
        self.directory = directory
        self.process = process

    @property
    def description(self) -> dict[str, Any]:
        """What `.postroom/running.json` says."""
        contents: dict[str, Any] = json.loads((self.directory / ".postroom" / "running.json").read_text())
        return contents

    async def pid(self, name: str) -> int:
        """Wait until a service or server runs, and return its process id; -1 where the whole has ended."""

        async def probe() -> int:
            if self.process.returncode is not None:
                return -1
            with contextlib.suppress(FileNotFoundError, ValueError):
                pid = int(self.description["pids"].get(name, 0))
                return pid if pid and psutil.pid_exists(pid) else 0
            return 0

        return await eventually(probe, within=60)

    async def kill(self, name: str) -> bool:
        """Kill -9 a service or server; False where the whole has ended before."""
        pid = await self.pid(name)
        if pid > 0:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pid > 0

    async def sandbox(self) -> httpx.AsyncClient:
        """Return a client of the sandbox's API, once it is there."""

        async def probe() -> str | None:
            with contextlib.suppress(FileNotFoundError, ValueError):
                url: str | None = self.description["sandbox_url"]
                return url
            return None

        return httpx.AsyncClient(base_url=await eventually(probe, within=60), timeout=30)

    async def ended(self, within: float) -> int:
        """Wait for its end and return the exit code."""
        return await asyncio.wait_for(self.process.wait(), within)

    def log(self) -> str:
        """Everything that it and its services said, shortened."""
        parts = [(self.directory / "up.log").read_text()[-3000:]]
        parts += [path.read_text()[-1500:] for path in sorted((self.directory / ".postroom").glob("*/logs/*.log"))]
        return "\n".join(parts)


class Place:
    """A directory in which the command line is used."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def corpus(self, posts: int, *, sources: int = 3, seed: int = 1) -> Path:
        """Write a corpus of our own: `posts` in each of `sources` channels, every tenth a duplicate of another one."""
        chance = random.Random(seed)
        folder = self.directory / "corpus"
        folder.mkdir()
        written: list[str] = []
        for source in range(sources):
            lines = []
            for number in range(1, posts + 1):
                if written and number % 10 == 0:
                    text = chance.choice(written)
                else:
                    text = (
                        f"**Новость {source}-{number}**. Сегодня {chance.choice(VERBS)} {chance.choice(SUBJECTS)}, "
                        f"на это ушло {chance.randint(10, 99999)} рублей. Подробности: https://example.org/{source}/{number}"
                    )
                    text += " Это длинная история. 😀" * (300 if number == 7 else 0)
                    written.append(text)
                lines.append(
                    json.dumps(
                        {
                            "message_id": number,
                            "sender_id": -1009000000000 - source,
                            "channel": f"Channel {source}",
                            "category": "test",
                            "date": f"2026-01-01T00:{number // 60 % 60:02}:{number % 60:02}+00:00",
                            "text": text,
                        },
                        ensure_ascii=False,
                    )
                )
            (folder / f"channel{source}.jsonl").write_text("\n".join(lines) + "\n", encoding="utf-8")
        return folder

    def command(
        self, *arguments: str, check: bool = True, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of postroom and return what it said. It has no terminal: passwords come from `stdin`, too."""
        done = warm.run(
            "postroom", arguments, cwd=self.directory, env=self.environment(**environment), stdin=stdin, timeout=60.0
        )
        if check:
            done.check_returncode()
        return done

    def said(self, *arguments: str, stdin: str = "") -> Any:
        """Run a command with --json and return what it said."""
        return json.loads(self.command(*arguments, "--json", stdin=stdin).stdout)

    def refusal(self, *arguments: str, code: int = 1, stdin: str = "", **environment: str) -> str:
        """Run a command that must end with this exit code, one line on stderr and nothing else; return the line."""
        done = self.command(*arguments, check=False, stdin=stdin, **environment)
        assert (done.returncode, done.stdout) == (code, ""), done
        [line] = done.stderr.splitlines()
        return line

    def started(self) -> subprocess.Popen[bytes]:
        """Run `postroom up` on the corpus until it is interrupted, and return once it is all published."""
        with (self.directory / "up.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "postroom", "up", "--corpus", "corpus"],
                cwd=self.directory, env=self.environment(), stdout=log, stderr=log,
            )  # fmt: skip
        end = time.monotonic() + 90
        while True:
            done = self.command("status", "--json", check=False)
            total = json.loads(done.stdout)["posts"]["total"] if done.returncode == 0 else {}
            if total.get("collected") and total["collected"] == total["published"] + total["duplicates"]:
                return process
            assert process.poll() is None, (self.directory / "up.log").read_text()
            assert time.monotonic() < end, done.stdout + done.stderr

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a user who has set nothing."""
        hidden = (
            "DATABASE_URL",
            "NATS_URL",
            "OPENAI_",
            "TELEGRAM_",
            "TELETHON_",
            "POSTROOM_",
            "PUBLISH_",
            "USERBOT_",
            "ADMIN_",
            "TARGET_",
            "API_",
            "WEBHOOK_",
        )
        kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
        return kept | {"COLUMNS": "160", "API_PORT": "0"} | more  # stacks run side by side: any port

    @asynccontextmanager
    async def up(self, *arguments: str, **environment: str) -> AsyncIterator[Running]:
        """Run `postroom up` for a block; at its end it is interrupted, as by Ctrl-C, if it still runs."""
        with (self.directory / "up.log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-m", "postroom", "up", *arguments,
                cwd=self.directory, env=self.environment(**environment), stdout=log, stderr=log,
            )  # fmt: skip
        try:
            yield Running(self.directory, process)
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGINT)
                try:
                    await asyncio.wait_for(process.wait(), 60)
                except TimeoutError:
                    process.kill()
                    await process.wait()


@pytest.fixture
def place() -> Iterator[Place]:
    """A new directory; outside pytest's own, which as root shuts out the embedded PostgreSQL's account."""
    directory = Path(tempfile.mkdtemp(prefix="postroom-place-"))
    yield Place(directory)
    shutil.rmtree(directory, ignore_errors=True)


class Connected(Place):
    """A place whose commands find servers on which no service runs. They run in this process, which is faster."""

    def __init__(self, directory: Path, servers: dict[str, str]) -> None:
        super().__init__(directory)
        self.servers = servers

    def command(
        self, *arguments: str, check: bool = True, stdin: str = "", **environment: str
    ) -> subprocess.CompletedProcess[str]:
        """Run a command of postroom, in a thread because it has an event loop of its own."""
        environment = {"COLUMNS": "160", **self.servers, **environment}
        with contextlib.chdir(self.directory), ThreadPoolExecutor(1) as thread:
            done = thread.submit(CliRunner().invoke, app, arguments, input=stdin, env=environment).result()
        if done.exception and not isinstance(done.exception, SystemExit):
            raise done.exception
        if check and done.exit_code:
            raise subprocess.CalledProcessError(done.exit_code, arguments, done.stdout, done.stderr)
        return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def connected(place: Place, service_settings: ServiceSettings) -> Connected:
    """A place whose commands find the servers of the test."""
    addresses = {"DATABASE_URL": service_settings.database_url, "NATS_URL": service_settings.nats_url}
    return Connected(place.directory, {name: value.get_secret_value() for name, value in addresses.items()})


@pytest.fixture(scope="module")
def standing() -> Iterator[Place]:
    """A place where a small corpus was published and the stack still runs, for all tests of a module."""
    place = Place(Path(tempfile.mkdtemp(prefix="postroom-place-")))
    place.corpus(6, sources=2)
    process = place.started()
    yield place
    process.send_signal(signal.SIGINT)
    process.wait(60)
    shutil.rmtree(place.directory, ignore_errors=True)


@pytest.fixture
def delivered() -> Callable[[Path], Counter[str]]:
    """Reads a destination channel of a sandbox that has stopped: how often each text is there."""

    def read(data: Path) -> Counter[str]:
        from sandbox.telegram import Store, World

        store = Store(data / "sandbox" / "telegram.sqlite3")
        try:
            world = World(store)
            channel = world.find_chat("postroom_demo")
            assert channel
            return Counter(message.text for message in world.messages(channel.id, limit=100_000))
        finally:
            store.close()

    return read
