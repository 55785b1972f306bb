"""`postroom logs`: what services said."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from datetime import UTC
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from common.logs import LEVELS, Level, LogFilter, LogRecord, Logs
from common.postgres import DatabaseUnreachable, SchemaError
from common.settings import load_settings
from postroom.commands.ids import post_id as post_id_of
from postroom.commands.moments import moment
from postroom.connections import Addresses, NotFound, connected
from postroom.local_logs import LocalLogs, last_used
from postroom.output import Json, print_json, run
from postroom.stack import running

LOOK_SECONDS = 0.5
REMEMBERED = 20_000  # records, as one may come from a file and, a little later, from the database
COLOURS = {"warning": "yellow", "error": "red", "critical": "red"}


def logs(
    post: Annotated[UUID | None, typer.Option(parser=post_id_of, metavar="ID", help="About this post.")] = None,
    service: Annotated[str | None, typer.Option(help="Of this service.")] = None,
    level: Annotated[str | None, typer.Option(help=f"At least so serious: {', '.join(LEVELS)}.")] = None,
    job: Annotated[str | None, typer.Option(metavar="CONSUMER/EVENT", help="About this job.")] = None,
    trace: Annotated[str | None, typer.Option(metavar="ID", help="In this trace.")] = None,
    text: Annotated[str | None, typer.Option(help="Where this is said, or stands in the error.")] = None,
    since: Annotated[str | None, typer.Option(help="Not before this time, such as 2026-03-01T18:30.")] = None,
    until: Annotated[str | None, typer.Option(help="Before this time.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1, max=100_000)] = 100,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on with what comes, until Ctrl-C.")] = False,
    as_json: Json = False,
) -> None:
    """Show what services said, the newest last: warnings, errors, and a record of each job that ended.

    Where the system runs in this directory, also what is only in its log files.
    """
    chosen = LogFilter(
        service, _level(level), post, job, trace, text, moment(since, "--since"), moment(until, "--until")
    )
    if not follow:
        found = run(lambda: _latest(chosen, limit))
        if as_json:
            print_json([_plain(record) for record in found])
        elif not found:
            typer.echo("No such log records.")
        else:
            _show(found)
        return
    with contextlib.suppress(BrokenPipeError):  # of `… | head`
        run(lambda: _follow(chosen, limit, as_json=as_json))


async def _latest(chosen: LogFilter, limit: int) -> list[LogRecord]:
    async with _sources() as sources:
        return await sources.latest(chosen, limit)


async def _follow(chosen: LogFilter, limit: int, *, as_json: bool) -> None:
    async with _sources() as sources:
        new = await sources.latest(chosen, limit)
        while True:
            if as_json:
                for record in new:
                    typer.echo(json.dumps(_plain(record), ensure_ascii=False, default=str))
            else:
                _show(new)
            await asyncio.sleep(LOOK_SECONDS)
            new = await sources.added(chosen)


class Sources:
    """The records that were kept, and the files of this machine: what is in both is one."""

    def __init__(self, kept: Logs | None, local: LocalLogs | None) -> None:
        self._kept = kept
        self._local = local
        self._first_id = self._last_id = 0
        self._seen: dict[tuple[object, ...], None] = {}

    async def latest(self, chosen: LogFilter, limit: int) -> list[LogRecord]:
        """Return the newest so many, the oldest of them first."""
        found: list[LogRecord] = []
        if self._kept:
            self._first_id = self._last_id = await self._kept.last_id()
            found += await self._kept.latest(chosen, limit)
        if self._local:
            found += self._local.latest(chosen, limit)
        return self._unseen(found)[-limit:]

    async def added(self, chosen: LogFilter) -> list[LogRecord]:
        """Return what came since."""
        found: list[LogRecord] = self._local.added(chosen) if self._local else []
        if self._kept:
            arrived = await self._kept.after(self._last_id, chosen)
            self._last_id = max((self._last_id, *(record.id or 0 for record in arrived)))
            found += [record for record in arrived if record.id and record.id > self._first_id]
        return self._unseen(found)

    def _unseen(self, found: list[LogRecord]) -> list[LogRecord]:
        new = {record.key: record for record in found if record.key not in self._seen}
        self._seen |= dict.fromkeys(new)
        while len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return sorted(new.values(), key=lambda record: record.at)


@contextlib.asynccontextmanager
async def _sources() -> AsyncIterator[Sources]:
    """Find the records. Where the system of this directory does not answer, its files are all there is."""
    data = _local_data()
    local = LocalLogs(data) if data else None
    async with contextlib.AsyncExitStack() as stack:
        kept = None
        try:
            kept = Logs((await stack.enter_async_context(connected())).database)
        except (NotFound, DatabaseUnreachable, SchemaError) as problem:
            if local is None:
                raise
            typer.echo(f"only from the files of {data}: {problem}", err=True)
        yield Sources(kept, local)


def _local_data() -> Path | None:
    if load_settings(Addresses).database_url:
        return None
    here = running.read()
    return Path(here.data) if here else last_used()


def _level(given: str | None) -> Level | None:
    if given is None:
        return None
    for level in LEVELS:
        if level == given.lower():
            return level
    raise typer.BadParameter(f"{given} is not one of {', '.join(LEVELS)}", param_hint="--level")


def _plain(record: LogRecord) -> dict[str, Any]:
    said = asdict(record)
    del said["id"]
    return said


def _show(records: list[LogRecord]) -> None:
    for record in records:
        said = {"post": record.post_id, "job": record.job_id, **record.fields}
        details = "  ".join(
            f"{name}={value}" for name, value in said.items() if value is not None and name != "exception"
        )
        first, *more = record.event.splitlines() or [""]
        more += str(record.fields.get("exception") or "").splitlines()
        at = record.at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        level = typer.style(f"{record.level.upper():<8}", fg=COLOURS.get(record.level))
        typer.echo("\n    ".join([f"{at}  {level}  {record.service:<9}  {first}  {details}".rstrip(), *more]))
