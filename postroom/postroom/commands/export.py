"""`postroom export` and `postroom prune`: records leave as JSONL, and what is old is forgotten."""

import sys
from contextlib import aclosing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, TextIO

import typer

from common import audit
from common.retention import EXPORTS, Pruned, Retention, RetentionSettings
from common.retention import export as exported
from common.settings import load_settings
from postroom.commands.moments import moment
from postroom.connections import connected
from postroom.output import Json, Refused, counted, print_json, print_table, run
from postroom.person import person

BEGINNING, END = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, tzinfo=UTC)


def export(
    kind: Annotated[str, typer.Argument(help=f"What: {', '.join(EXPORTS)}.")],
    since: Annotated[str | None, typer.Option(help="From then on, such as 2026-03-01T18:30.")] = None,
    until: Annotated[str | None, typer.Option(help="Up to then.")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="A file that is not there yet; without it stdout.")
    ] = None,
) -> None:
    """Write records as JSONL: one object a line, oldest first, as they were at one time."""
    if kind not in EXPORTS:
        raise typer.BadParameter(f"{kind} is not one of {', '.join(EXPORTS)}", param_hint="KIND")
    begin, end = moment(since, "--since") or BEGINNING, moment(until, "--until") or END

    async def work() -> int:
        count = 0
        async with connected() as system:
            file = _opened(output) if output else sys.stdout
            try:
                async with aclosing(exported(system.database, kind, begin, end)) as lines:
                    async for line in lines:
                        file.write(f"{line}\n")
                        count += 1
            finally:
                if output:
                    file.close()
        return count

    count = run(work)
    typer.echo(f"{counted(count, 'record')} of {kind} written.", err=True)


def _opened(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8")
    except FileExistsError:
        raise Refused(f"{path} is there already") from None
    except OSError as error:
        raise Refused(f"{path} can't be written: {error.strerror}") from None


def prune(as_json: Json = False) -> None:
    """Forget now what is older than RETENTION_…_DAYS say; the api does so every hour."""

    async def work() -> list[Pruned]:
        async with connected() as system:
            pruned = await Retention(system.database, load_settings(RetentionSettings))()
            counts = {each.kind: each.deleted for each in pruned if each.deleted}
            if counts:
                await audit.record(system.database, person(), "prune", "/retention", after=counts)
            return pruned

    pruned = run(work)
    if as_json:
        print_json({each.kind: each.deleted for each in pruned})
    else:
        print_table(
            ("Forgotten", "Records", "Older than"), ((each.kind, each.deleted, each.older_than) for each in pruned)
        )
