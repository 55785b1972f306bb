"""`postroom dead`: the dead letters."""

from collections import defaultdict
from pathlib import Path
from typing import Annotated, Any

import typer

from common.messaging.replay import DeadLetter
from postroom.connections import System, connected
from postroom.output import Json, Refused, counted, print_json, print_table, run

app = typer.Typer(no_args_is_help=True, help="What could not be worked on: list, show, replay, discard.")

ERROR_SHOWN = 200  # characters

Number = Annotated[int | None, typer.Argument(help="The number of one letter.", min=1)]
Fingerprint = Annotated[str | None, typer.Option(help="All letters with this error fingerprint.")]
Consumer = Annotated[str | None, typer.Option(help="All letters of this consumer.")]
Everything = Annotated[bool, typer.Option("--all", help="All letters.")]


@app.command("list")
def list_letters(
    fingerprint: Fingerprint = None,
    consumer: Consumer = None,
    grouped: Annotated[bool, typer.Option("--grouped", help="One line per error fingerprint, with a count.")] = False,
    as_json: Json = False,
) -> None:
    """List the dead letters, oldest first."""

    async def find() -> list[DeadLetter]:
        async with connected() as system:
            return [letter async for letter in system.dead_letters.letters(consumer=consumer, fingerprint=fingerprint)]

    found = run(find)
    if as_json:
        print_json(_groups(found) if grouped else [letter.to_json() for letter in found])
    elif not found:
        typer.echo("No dead letters.")
    elif grouped:
        print_table(
            ("Fingerprint", "Count", "Consumer", "First", "Last", "Error"),
            (
                (group["fingerprint"], group["count"], group["consumer"], group["first_at"], group["last_at"],
                 group["error"][:ERROR_SHOWN])
                for group in _groups(found)
            ),
        )  # fmt: skip
    else:
        print_table(
            ("Number", "Died", "Consumer", "Subject", "Fingerprint", "Error"),
            (
                (letter.number, letter.died_at, letter.consumer, letter.subject, letter.fingerprint,
                 letter.error[:ERROR_SHOWN])
                for letter in found
            ),
        )  # fmt: skip


@app.command()
def show(number: Annotated[int, typer.Argument(min=1)], as_json: Json = False) -> None:
    """Show one letter with its payload and headers."""

    async def get() -> DeadLetter:
        async with connected() as system:
            return await system.dead_letters.get(number)

    shown = run(get).to_json()
    if as_json:
        print_json(shown)
        return
    headers, payload = shown.pop("headers"), shown.pop("payload")
    for name, value in shown.items():
        typer.echo(f"{name.replace('_', ' '):<12} {'' if value is None else value}")
    for name, value in headers.items():
        if not name.startswith("dl-"):
            typer.echo(f"  {name}: {value}")
    typer.echo(f"\n{payload}")


@app.command()
def replay(
    number: Number = None,
    fingerprint: Fingerprint = None,
    consumer: Consumer = None,
    everything: Everything = False,
    payload: Annotated[
        Path | None,
        typer.Option(help="Replay one letter with the contents of this file instead.", exists=True, dir_okay=False),
    ] = None,
    as_json: Json = False,
) -> None:
    """Send letters back to the consumer that failed; the other consumers drop them."""
    if payload and number is None:
        raise typer.BadParameter("goes with the number of one letter", param_hint="--payload")

    async def work() -> int:
        async with connected() as system:
            chosen = await _chosen(system, number, fingerprint, consumer, everything=everything)
            for letter in chosen:
                await system.dead_letters.replay(letter, payload.read_bytes() if payload else None)
            return len(chosen)

    _say(run(work), "replayed", as_json=as_json)


@app.command()
def discard(
    number: Number = None,
    fingerprint: Fingerprint = None,
    consumer: Consumer = None,
    everything: Everything = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete letters for good. Their jobs end as cancelled, and so do posts that have nothing else under way."""

    async def choose() -> list[DeadLetter]:
        async with connected() as system:
            return await _chosen(system, number, fingerprint, consumer, everything=everything)

    async def work(chosen: list[DeadLetter]) -> int:
        async with connected() as system:
            for letter in chosen:
                await system.dead_letters.discard(letter)
        return len(chosen)

    chosen = run(choose)
    if chosen and not yes:
        typer.confirm(f"Delete {len(chosen)} dead letters for good?", abort=True, err=True)
    _say(run(lambda: work(chosen)), "discarded", as_json=as_json)


def _groups(found: list[DeadLetter]) -> list[dict[str, Any]]:
    groups: defaultdict[str, list[DeadLetter]] = defaultdict(list)
    for letter in found:
        groups[letter.fingerprint].append(letter)
    return [
        {
            "fingerprint": name,
            "count": len(group),
            "consumer": group[0].consumer,
            "first_at": group[0].died_at,
            "last_at": group[-1].died_at,
            "error": group[-1].error,
            "numbers": [letter.number for letter in group],
        }
        for name, group in groups.items()
    ]


async def _chosen(
    system: System, number: int | None, fingerprint: str | None, consumer: str | None, *, everything: bool
) -> list[DeadLetter]:
    if sum((number is not None, bool(fingerprint or consumer), everything)) != 1:
        raise Refused("name one letter by its number, or a group by --fingerprint or --consumer, or --all")
    if number is not None:
        return [await system.dead_letters.get(number)]
    return [letter async for letter in system.dead_letters.letters(consumer=consumer, fingerprint=fingerprint)]


def _say(count: int, done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({done: count})
    else:
        typer.echo(f"{counted(count, 'dead letter')} {done}.")
