"""The log files of a `postroom up`: also what was not serious enough to be shipped, and what went past the logs."""

import json
import re
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from common.logs import LogFilter, LogRecord, record_of
from postroom.stack.running import HOME

# What is no line of JSON is a traceback, or the last word of a service that can't work; the sandbox names its levels.
PLAIN_LEVEL = re.compile(r"(DEBUG|INFO|WARNING|ERROR|CRITICAL)\b")


class LogFile:
    """One file. Each look goes on where the last one ended, and leaves a line that is not whole for the next one."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._service = path.name.partition(".")[0]
        self._offset = 0
        self._at: datetime | None = None  # of the last record that had a time

    def look(self) -> Iterator[LogRecord]:
        """Yield what was added."""
        with suppress(FileNotFoundError), self._path.open("rb") as file:
            if file.seek(0, 2) < self._offset:  # it was put aside, and began anew
                self._offset = 0
            file.seek(self._offset)
            plain: list[str] = []
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                text = line.decode("utf-8", "replace").rstrip()
                if record := self._record(text):
                    yield from self._plain(plain)
                    self._at = record.at
                    yield record
                elif text:
                    plain.append(text)
            yield from self._plain(plain)

    def _record(self, text: str) -> LogRecord | None:
        if text.startswith("{"):
            with suppress(ValueError, RecursionError):
                return record_of(json.loads(text), service=self._service, at=self._known_time())
        return None

    def _plain(self, lines: list[str]) -> Iterator[LogRecord]:
        if lines:
            named = PLAIN_LEVEL.match(lines[0])
            level = named[1].lower() if named else "error"
            yield LogRecord(self._known_time(), self._service, level, "\n".join(lines))
            lines.clear()

    def _known_time(self) -> datetime:
        return self._at or datetime.fromtimestamp(self._path.stat().st_mtime, UTC)


class LocalLogs:
    """The log files of one stack."""

    def __init__(self, data: Path) -> None:
        folder = data / "logs"
        self._files = [LogFile(path) for pattern in ("*.log.1", "*.log") for path in sorted(folder.glob(pattern))]

    def latest(self, wanted: LogFilter, limit: int) -> list[LogRecord]:
        """Return the newest so many records."""
        found: list[LogRecord] = []
        for file in self._files:
            found += deque((record for record in file.look() if wanted.matches(record)), maxlen=limit)
        return sorted(found, key=lambda record: record.at)[-limit:]

    def added(self, wanted: LogFilter) -> list[LogRecord]:
        """Return what was written since the last look."""
        found = [record for file in self._files for record in file.look() if wanted.matches(record)]
        return sorted(found, key=lambda record: record.at)


def last_used() -> Path | None:
    """Return where the data of the stack are that ran last in this directory."""
    logs = [path for path in HOME.glob("*/logs") if any(path.glob("*.log"))]
    newest = max(logs, key=lambda path: max(file.stat().st_mtime for file in path.glob("*.log")), default=None)
    return newest.parent if newest else None
