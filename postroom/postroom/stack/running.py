"""What says, for other commands, that a stack runs here and where its servers are: `.postroom/running.json`."""

import contextlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path

import psutil

HOME = Path(".postroom")


class AlreadyRunning(Exception):
    """A stack runs in this directory already."""


@dataclass(slots=True)
class Running:
    """A stack that runs: its supervisor, its children, and the addresses."""

    pid: int
    data: str
    nats_url: str
    database_url: str
    sandbox_url: str | None = None
    api_url: str | None = None
    pids: dict[str, int] = field(default_factory=dict)

    def write(self) -> None:
        """Write the file, whole or not at all. It holds addresses with passwords, so it is for its owner only."""
        temporary = file().with_suffix(".tmp")
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w") as output:
            json.dump(asdict(self), output)
        temporary.replace(file())

    @property
    def alive(self) -> bool:
        """Whether the supervisor still runs."""
        with contextlib.suppress(psutil.Error):
            return "postroom" in " ".join(psutil.Process(self.pid).cmdline())
        return False


def file() -> Path:
    """Return where the file is, below the current directory."""
    return HOME / "running.json"


def read() -> Running | None:
    """Return what the file says, or None where there is none."""
    try:
        return Running(**json.loads(file().read_text()))
    except (FileNotFoundError, TypeError, ValueError):
        return None


@contextlib.contextmanager
def only_one(directory: Path) -> Iterator[None]:
    """Let one supervisor at a time into a directory. The system lets go of the lock of one that was killed.

    Raises AlreadyRunning.
    """
    with (directory / "lock").open("a") as lock:
        if not _locked(lock.fileno()):
            found = read()
            process = f" (process {found.pid})" if found else ""
            raise AlreadyRunning(f"a stack runs here already{process}; stop it first, or use another directory")
        yield


def _locked(descriptor: int) -> bool:
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def clear_leftovers() -> None:
    """Make room for a new stack: end the services that a supervisor left behind when it was killed."""
    found = read()
    if found is None:
        return
    for name, pid in found.pids.items():
        with contextlib.suppress(psutil.Error):
            process = psutil.Process(pid)
            if name in process.cmdline():  # python -m NAME
                process.send_signal(signal.SIGTERM)
                psutil.wait_procs([process], timeout=10)
    file().unlink(missing_ok=True)
