"""One thing done to all that match a filter: counted, asked about, followed to its end."""

import sys
from collections.abc import Mapping
from typing import Any

import typer
from rich.console import Console

from common.operations import Operation, OperationRunner, Operations
from common.operations.kinds import operation_kinds
from postroom.connections import connected
from postroom.output import Refused, counted, print_json, run
from postroom.person import person

REFUSALS_SHOWN = 5


def operate(
    kind: str,
    given: Mapping[str, Any],
    *,
    noun: str,
    done: str,
    reason: str = "",
    question: str | None = None,
    dry_run: bool = False,
    as_json: bool = False,
) -> None:
    """Do it, and print what came of it: `5 dead letters replayed.`

    `given` is the filter; `question` is asked first, with the count in the place of `{}`. With `dry_run` the count is
    all that happens.
    """
    matching = run(lambda: _count(kind, given)) if dry_run or question else None
    if dry_run:
        _say_count(matching or 0, noun, as_json=as_json)
        return
    if question and matching:
        typer.confirm(question.format(counted(matching, noun)), abort=True, err=True)
    ended = run(lambda: _operate(kind, given, reason))
    if as_json:
        print_json({done: ended.done, "refused": ended.refused, "operation": ended.id})
    else:
        typer.echo(f"{counted(ended.done, noun)} {done}{f', {ended.refused} refused' if ended.refused else ''}.")
    for refusal in ended.refusals[:REFUSALS_SHOWN]:
        typer.echo(f"{refusal['key']}: {refusal['reason']}", err=True)
    if ended.status != "done":
        why = f": {ended.error}" if ended.error else f" by {ended.cancelled_by}"
        run(lambda: _refuse(f"operation {ended.id} has {ended.status}{why}"))


async def _count(kind: str, given: Mapping[str, Any]) -> int:
    async with connected() as system:
        with system.rails() as rails:
            kinds = operation_kinds(system.nats, system.database, rails)
            return await Operations(system.database, kinds).count(kind, given)


async def _operate(kind: str, given: Mapping[str, Any], reason: str) -> Operation:
    async with connected() as system:
        with system.rails() as rails:
            kinds = operation_kinds(system.nats, system.database, rails)
            operations = Operations(system.database, kinds)
            started = await operations.start(kind, given, by=person(), reason=reason)
            console = Console(stderr=True, highlight=False)

            async def look() -> Operation:
                found = await operations.get(started.id)
                if sys.stderr.isatty():
                    console.print(f"{found.done + found.refused} of {found.total}", end="\r")
                return found

            await OperationRunner(system.database, kinds).follow(started.id, look)
            return await operations.get(started.id)


async def _refuse(why: str) -> None:
    raise Refused(why)


def _say_count(matching: int, noun: str, *, as_json: bool) -> None:
    if as_json:
        print_json({"matching": matching})
    else:
        typer.echo(f"{counted(matching, noun)} {'matches' if matching == 1 else 'match'}.")
