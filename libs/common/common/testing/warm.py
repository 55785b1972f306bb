"""Processes that start at once: they are forked from one that has imported everything already.

To import the command line or a service takes a second or two of processor time, which is most of what a short command
needs. What runs is the same: `python -m MODULE` in a process of its own, with directory, environment and streams of its
own.
"""

import asyncio
import multiprocessing
import os
import runpy
import signal
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, TypeAlias

from common.contracts import topology

SERVICES = sorted({durable.service for durable in topology().durables()})
PRELOADED = (*(f"{service}.app" for service in SERVICES), "postroom.cli", "postroom.signing_in", __name__)
POSSIBLE = "forkserver" in multiprocessing.get_all_start_methods()


class WarmProcess:
    """A process that runs, as asyncio shows one."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid
        return self._process.pid

    @property
    def returncode(self) -> int | None:
        """The exit code, minus a signal's number; None while it runs."""
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        """Send a signal; nothing happens where it has ended."""
        if self.returncode is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    async def wait(self) -> int:
        """Return the exit code once it has ended."""
        await asyncio.to_thread(self._process.join)
        assert self.returncode is not None
        return self.returncode


Process: TypeAlias = WarmProcess | asyncio.subprocess.Process


async def start(module: str, *, before: str = "") -> Process:
    """Start `python -m MODULE`, silently but for its errors; `before` is Python that it runs first."""
    if not POSSIBLE:
        code = f"{before}; import runpy; runpy.run_module({module!r}, run_name='__main__', alter_sys=True)"
        return await asyncio.create_subprocess_exec(sys.executable, "-c", code, stdout=asyncio.subprocess.DEVNULL)
    return WarmProcess(_forked(module, [], str(Path.cwd()), os.environ, [os.devnull, os.devnull], before))


def run(
    module: str, arguments: Sequence[str], *, cwd: Path, env: Mapping[str, str], stdin: str = "", timeout: float = 60.0
) -> subprocess.CompletedProcess[str]:
    """Run `python -m MODULE ARGUMENTS` in a new session and return what it said.

    Raises subprocess.TimeoutExpired where it does not end within `timeout` seconds; then it is killed.
    """
    command = [sys.executable, "-m", module, *arguments]
    if not POSSIBLE:
        return subprocess.run(
            command, cwd=cwd, env=dict(env), input=stdin, capture_output=True, text=True, check=False, timeout=timeout
        )
    with tempfile.TemporaryDirectory(prefix="postroom-command-") as folder:
        streams = [Path(folder) / name for name in ("stdin", "stdout", "stderr")]
        streams[0].write_text(stdin, "utf-8")
        process = _forked(module, arguments, str(cwd), env, [str(path) for path in streams])
        process.join(timeout)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(command, timeout)
        said = [path.read_text("utf-8") if path.exists() else "" for path in streams[1:]]
        assert process.exitcode is not None
        return subprocess.CompletedProcess(command, process.exitcode, *said)


def _forked(
    module: str, arguments: Sequence[str], cwd: str, env: Mapping[str, str], streams: Sequence[str], before: str = ""
) -> BaseProcess:
    context: Any = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(list(PRELOADED))
    process: BaseProcess = context.Process(
        target=_become, args=(module, list(arguments), cwd, dict(env), list(streams), before)
    )
    process.start()
    return process


def _become(module: str, arguments: list[str], cwd: str, env: dict[str, str], streams: list[str], before: str) -> None:
    if sys.platform != "win32":
        os.setsid()
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    for number, path in enumerate(streams):
        descriptor = os.open(path, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115 - as long as the process runs
    sys.argv = [module, *arguments]
    sys.path[0:0] = [] if cwd in sys.path else [cwd]  # as `python -m` does
    exec(before, {})  # noqa: S102 - a test's own
    runpy.run_module(module, run_name="__main__", alter_sys=True)
