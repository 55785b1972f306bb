"""Forgetting what is old, page by page, so that nothing waits for it."""

import asyncio
import logging
import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import asyncpg

from common.postgres import Database, Queries
from common.retention.settings import RetentionSettings

log = logging.getLogger(__name__)

KINDS = (
    "jobs", "attempts", "payloads", "notifications", "alerts", "model_calls", "operations", "verifications", "canaries",
    "trials", "audit",
)  # fmt: skip
PAGE = 2_000
PAUSE_SECONDS = 0.05  # between two pages, for those who work


@dataclass(frozen=True, slots=True)
class Pruned:
    """How much of a kind was forgotten."""

    kind: str
    older_than: datetime
    deleted: int


class Retention:
    """Forgets by age. With an archive it is written there first: `KIND-DATE.jsonl`, one record a line."""

    def __init__(self, database: Database, settings: RetentionSettings) -> None:
        self._database = database
        self._settings = settings
        self._sql = Queries.load("common", "retention.sql")

    async def __call__(self) -> list[Pruned]:
        """Forget everything that is old enough.

        Raises OSError where the archive can't be written: then nothing is forgotten of what it does not have.
        """
        now = datetime.now(UTC)
        ages = {kind: days for kind in KINDS if (days := self._settings.days(kind))}
        pruned = []
        for kind, days in ages.items():
            try:
                pruned.append(await self._prune(kind, now - timedelta(days=days)))
            except (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError) as error:  # others can be forgotten
                log.warning("%s can't be forgotten: %r", kind, error)
        await self._database.execute(self._sql["forget_runs"])
        return pruned

    async def _prune(self, kind: str, older_than: datetime) -> Pruned:
        deleted = 0
        while page := await self._page(kind, older_than):
            deleted += page
            if page < PAGE:
                break
            await asyncio.sleep(PAUSE_SECONDS)
        if deleted:
            await self._database.execute(self._sql["record"], kind, older_than, deleted)
            log.info("%d %s are forgotten: they were older than %s", deleted, kind, older_than)
        return Pruned(kind, older_than, deleted)

    async def _page(self, kind: str, older_than: datetime) -> int:
        async with self._database.transaction() as connection:
            rows = await connection.fetch(self._sql[f"prune_{kind}"], older_than, PAGE)
            if (
                rows and self._settings.retention_archive
            ):  # before the commit: twice in the archive is better than never
                lines = [row[0] for row in rows]
                await asyncio.to_thread(_append, self._settings.retention_archive, kind, lines)
        return len(rows)


def _append(archive: Path, kind: str, lines: Sequence[str]) -> None:
    archive.mkdir(parents=True, exist_ok=True)
    with (archive / f"{kind}-{datetime.now(UTC):%Y-%m-%d}.jsonl").open("a", encoding="utf-8") as file:
        file.write("".join(f"{line}\n" for line in lines))
        file.flush()
        os.fsync(file.fileno())
