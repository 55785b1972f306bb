"""A supervised process: restarted when it dies, stopped in order, its output in a log file."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

log = logging.getLogger(__name__)

STOP_SECONDS = 20.0
FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.3, 10.0
STEADY_SECONDS = 30.0  # a process that ran that long starts with the first pause again
# Exit codes of a service that can't work as it is set up (common.service.entry): a restart would not help.
HOPELESS = (2, 3)


class ProcessFailed(Exception):
    """A process can't work as it is set up; the message is what it said."""


class SupervisedProcess:
    """Keeps one command running."""

    def __init__(
        self, name: str, command: Sequence[str], env: Mapping[str, str], log_file: Path, changed: Callable[[], None]
    ) -> None:
        self.name = name
        self.restarts = 0
        self._command = list(command)
        self._env = os.environ | dict(env)
        self._log_file = log_file
        self._changed = changed
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process and self._process.returncode is None else None

    @property
    def stopped(self) -> bool:
        """Whether it was asked to stop."""
        return self._stopping

    async def run(self) -> None:
        """Keep it running until `stop`. Raises ProcessFailed where a restart can't help."""
        pause = FIRST_PAUSE_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stopping:
            started, said_before = loop.time(), self._log_size()
            code = await self._run_once()
            if self.stopped:
                return
            if code in HOPELESS:
                raise ProcessFailed(self._last_line(said_before) or f"{self.name} ended with exit code {code}")
            log.warning("%s ended with exit code %d and is started again", self.name, code)
            self.restarts += 1
            pause = FIRST_PAUSE_SECONDS if loop.time() - started > STEADY_SECONDS else pause
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_SECONDS, pause * 2)

    async def stop(self) -> None:
        """Ask it to stop, and kill it where it does not within 20 seconds."""
        self._stopping = True
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), STOP_SECONDS)
        except TimeoutError:
            log.warning("%s did not stop within %.0f s and is killed", self.name, STOP_SECONDS)
            process.kill()
            await process.wait()

    async def _run_once(self) -> int:
        with self._log_file.open("ab") as output:
            # A session of its own: a Ctrl-C in the terminal is for us, and we stop the services in their order.
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                env=self._env,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        self._changed()
        return await self._process.wait()

    def _log_size(self) -> int:
        return self._log_file.stat().st_size if self._log_file.exists() else 0

    def _last_line(self, since: int) -> str:
        with self._log_file.open("rb") as output:
            output.seek(since)
            lines = output.read().decode(errors="replace").strip().splitlines()
        return lines[-1] if lines else ""
