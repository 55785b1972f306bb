"""One server as a child process of ours: started, stopped, killed, and taken over from a parent that died."""

import contextlib
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psutil

PAUSE_SECONDS = 0.01
# Windows knows one way to end another process from outside, and calls it SIGTERM.
KILL: signal.Signals = getattr(signal, "SIGKILL", signal.SIGTERM)


class ServerError(Exception):
    """A server did not start; the message ends with the last lines of its log."""


class ServerProcess:
    """A child process that is up once `ready()` says so, and whose output goes to a log file."""

    def __init__(self, name: str, log: Path) -> None:
        self.name = name
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid if self._process and self.running else None

    @property
    def running(self) -> bool:
        """Whether the process is alive; reaps it when it has ended."""
        return self._process is not None and self._process.poll() is None

    def start(
        self,
        command: Sequence[str],
        *,
        ready: Callable[[], bool],
        timeout: float,
        env: Mapping[str, str] | None = None,
        account: tuple[int, int] | None = None,
    ) -> None:
        """Start `command` (as `account`, a uid and gid, where given) and wait until it is ready.

        It gets a process group of its own, so that a Ctrl-C in the terminal ends us first and the server last.
        Raises ServerError when it exits or is not ready within `timeout` seconds.
        """
        uid, gid = account or (None, None)
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=None if env is None else dict(env),
                user=uid,
                group=gid,
                extra_groups=[] if account else None,
                start_new_session=True,
            )
        end = time.monotonic() + timeout
        while not ready():
            if not self.running:
                raise ServerError(f"{self.name} exited with {self._process.returncode}:\n{self._last_lines()}")
            if time.monotonic() > end:
                self.stop(KILL)
                raise ServerError(f"{self.name} was not ready within {timeout:.0f} s:\n{self._last_lines()}")
            time.sleep(PAUSE_SECONDS)

    def stop(self, how: signal.Signals, timeout: float = 15.0) -> None:
        """Send the signal and wait; a process still there after `timeout` seconds is killed."""
        if self._process is None:
            return
        if self.running:
            self._process.send_signal(how)
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def _last_lines(self, count: int = 15) -> str:
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-count:])


def end_leftover(pid: int, executable: str, how: signal.Signals, timeout: float = 15.0) -> None:
    """End a server that a parent left behind when it was killed, if `pid` still is that server."""
    with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
        leftover = psutil.Process(pid)
        if leftover.name().removesuffix(".exe") != executable:
            return
        leftover.send_signal(how)
        try:
            leftover.wait(timeout)
        except psutil.TimeoutExpired:
            leftover.kill()
            leftover.wait(timeout)
