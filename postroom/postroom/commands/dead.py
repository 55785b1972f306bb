"""`postroom dead`: the dead letters."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer

from common.audit import record
from common.contracts import topology
from common.messaging.letters import Contents, DeadLetter, LetterFilter, LetterGroup
from common.messaging.replay import DeadLetters
from common.messaging.within import EmittedWithin
from common.operations import Outcome
from common.operations.starting import WrongFilter
from common.postgres import Within
from common.queues.settings import known
from postroom.commands.bulk import operate
from postroom.commands.ids import post_id
from postroom.commands.moments import moment
from postroom.connections import connected
from postroom.output import Json, Refused, counted, print_json, print_table, run, told
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="What could not be worked on: list, show, edit, replay, discard.")

ERROR_SHOWN = 200  # characters

Number = Annotated[int, typer.Argument(help="The number of a letter.", min=1)]
MaybeNumber = Annotated[int | None, typer.Argument(help="The number of one letter.", min=1)]
Fingerprint = Annotated[str | None, typer.Option(help="Those with this error fingerprint.")]
Consumer = Annotated[str | None, typer.Option(help="Those of this consumer.")]
Queue = Annotated[str | None, typer.Option(help="Those of this queue.")]
ErrorText = Annotated[str | None, typer.Option("--error", help="Those whose error contains this text.")]
ErrorClass = Annotated[str | None, typer.Option(help="Those with this class of error, such as TimeoutError.")]
Post = Annotated[UUID | None, typer.Option(parser=post_id, metavar="POST_ID", help="Those of this post.")]
Since = Annotated[str | None, typer.Option(help="Those that died from then on, such as 2026-03-01T18:30.")]
Until = Annotated[str | None, typer.Option(help="Those that died before then.")]
Everything = Annotated[bool, typer.Option("--all", help="All letters.")]
Reason = Annotated[str, typer.Option(help="Why, for the audit log.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")]


@app.command("list")
def list_letters(
    fingerprint: Fingerprint = None,
    consumer: Consumer = None,
    queue: Queue = None,
    error: ErrorText = None,
    error_class: ErrorClass = None,
    post: Post = None,
    since: Since = None,
    until: Until = None,
    grouped: Annotated[bool, typer.Option("--grouped", help="One line per error fingerprint, with a count.")] = False,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 100,
    as_json: Json = False,
) -> None:
    """List the dead letters, the newest first."""
    wanted = _filter(fingerprint, consumer, queue, error, error_class, post, since, until)
    if grouped:
        _print_groups(run(lambda: _groups(wanted, limit)), as_json=as_json)
        return
    found, number = run(lambda: _find(wanted, limit))
    if as_json:
        print_json([letter.to_json() for letter in found])
    elif not found:
        typer.echo("No dead letters.")
    print_letters = () if as_json else found
    print_table(
        ("Number", "Died", "Consumer", "Subject", "Fingerprint", "Error"),
        (
            (letter.number, letter.died_at, letter.consumer, letter.subject, letter.fingerprint,
             letter.error[:ERROR_SHOWN])
            for letter in print_letters
        ),
    )  # fmt: skip
    if number > len(found) and not as_json:
        typer.echo(f"\n{number - len(found)} more: --limit, or --grouped")


@app.command()
def show(number: Number, as_json: Json = False) -> None:
    """Show one letter with its payload and headers."""

    async def get() -> tuple[DeadLetter, Contents | None]:
        async with connected() as system:
            with system.rails() as rails:
                letters = system.dead_letters(rails)
                letter = await letters.get(number)
                return letter, await letters.open(letter)

    letter, contents = run(get)
    shown = letter.to_json()
    if as_json:
        shown["headers"], shown["payload"] = (contents.headers, contents.text) if contents else ({}, None)
        print_json(shown)
        return
    for name, value in shown.items():
        if value is not None or not name.startswith("edited"):
            typer.echo(f"{name.replace('_', ' '):<12} {'' if value is None else value}")
    for name, value in (contents.headers if contents else {}).items():
        if not name.startswith("dl-"):
            typer.echo(f"  {name}: {value}")
    typer.echo(f"\n{contents.text if contents else 'The letter itself is not kept any more.'}")


@app.command()
def edit(
    number: Number,
    payload: Annotated[Path, typer.Option(help="A file with the new payload.", exists=True, dir_okay=False)],
    as_json: Json = False,
) -> None:
    """Give one letter another payload, which must be one of its event; replay it afterwards."""
    _act("edit", number, lambda letters, letter: letters.edit(letter, payload.read_bytes(), by=person()))
    _say_one("edited", as_json=as_json)


@app.command()
def replay(
    number: MaybeNumber = None,
    fingerprint: Fingerprint = None,
    consumer: Consumer = None,
    queue: Queue = None,
    error: ErrorText = None,
    error_class: ErrorClass = None,
    post: Post = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    payload: Annotated[
        Path | None,
        typer.Option(help="Replay one letter with the contents of this file instead.", exists=True, dir_okay=False),
    ] = None,
    reason: Reason = "",
    dry_run: DryRun = False,
    as_json: Json = False,
) -> None:
    """Send letters back to the consumer that failed; the other consumers drop them."""
    if payload and number is None:
        raise typer.BadParameter("goes with the number of one letter", param_hint="--payload")
    wanted = _filter(fingerprint, consumer, queue, error, error_class, post, since, until)
    _one_of(number, wanted, everything=everything)
    if number is None:
        operate(
            "dead_letters.replay", wanted.to_json(), noun="dead letter", done="replayed", reason=reason,
            dry_run=dry_run, as_json=as_json,
        )  # fmt: skip
        return
    if payload:
        _act("edit", number, lambda letters, letter: letters.edit(letter, payload.read_bytes(), by=person()))
    _act("replay", number, lambda letters, letter: _alone(letters.replay, letter))
    _say_one("replayed", as_json=as_json)


@app.command()
def discard(
    number: MaybeNumber = None,
    fingerprint: Fingerprint = None,
    consumer: Consumer = None,
    queue: Queue = None,
    error: ErrorText = None,
    error_class: ErrorClass = None,
    post: Post = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False,
    as_json: Json = False,
) -> None:
    """Delete letters for good. Their jobs end as cancelled, and so do posts that have nothing else under way."""
    wanted = _filter(fingerprint, consumer, queue, error, error_class, post, since, until)
    _one_of(number, wanted, everything=everything)
    question = None if yes else "Delete {} for good?"
    if number is None:
        operate(
            "dead_letters.discard", wanted.to_json(), noun="dead letter", done="discarded", reason=reason,
            question=question, dry_run=dry_run, as_json=as_json,
        )  # fmt: skip
        return
    if question:
        typer.confirm(question.format(f"dead letter {number}"), abort=True, err=True)
    _act("discard", number, lambda letters, letter: _alone(letters.discard, letter))
    _say_one("discarded", as_json=as_json)


async def _find(wanted: LetterFilter, limit: int) -> tuple[list[DeadLetter], int]:
    async with connected() as system:
        with system.rails() as rails:
            letters = system.dead_letters(rails)
            return await letters.find(wanted, limit=limit), await letters.count(wanted)


async def _groups(wanted: LetterFilter, limit: int) -> list[LetterGroup]:
    async with connected() as system:
        with system.rails() as rails:
            return await system.dead_letters(rails).groups(wanted, limit=limit)


def _print_groups(groups: list[LetterGroup], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(group) for group in groups])
        return
    if not groups:
        typer.echo("No dead letters.")
    print_table(
        ("Fingerprint", "Count", "Consumer", "First", "Last", "Example", "Error"),
        (
            (group.fingerprint, group.count, group.consumer, group.first_at, group.last_at, group.example,
             group.error[:ERROR_SHOWN])
            for group in groups
        ),
    )  # fmt: skip


def _act(verb: str, number: int, work: Callable[[DeadLetters, DeadLetter], Awaitable[None]]) -> None:
    """Do something to one letter, in one transaction with its line in the audit log."""

    async def act() -> None:
        async with connected() as system:
            with system.rails() as rails:
                async with system.database.transaction() as connection:
                    within, emitting = Within(connection), EmittedWithin(rails, connection)
                    letters = system.dead_letters(emitting, within)
                    letter = await letters.get(number)
                    contents = await letters.open(letter)
                    await work(letters, letter)
                    before = letter.to_json() | {"payload": contents.shown if contents else None}
                    path = f"/api/v1/dead-letters/{number}"
                    await record(within, person(), f"{verb}_dead_letter", path, before=before)
                await emitting.publish_all()
                await letters.clear()

    run(act)


async def _alone(work: Callable[[list[DeadLetter]], Awaitable[list[Outcome]]], letter: DeadLetter) -> None:
    [refusal] = await work([letter])
    if refusal:
        raise Refused(f"dead letter {letter.number}: {refusal}")


def _filter(
    fingerprint: str | None,
    consumer: str | None,
    queue: str | None,
    error: str | None,
    error_class: str | None,
    post: UUID | None,
    since: str | None,
    until: str | None,
) -> LetterFilter:
    with told():
        known(topology(), [queue] if queue else [])
    given: dict[str, Any] = {
        "fingerprint": fingerprint,
        "consumer": consumer,
        "queue": queue,
        "error": error,
        "error_class": error_class,
        "post_id": post,
        "died_from": moment(since, "--since"),
        "died_until": moment(until, "--until"),
    }
    return LetterFilter(**{name: value for name, value in given.items() if value is not None})


def _one_of(number: int | None, wanted: LetterFilter, *, everything: bool) -> None:
    with told():
        if sum((number is not None, wanted != LetterFilter(), everything)) != 1:
            words = "name one letter by its number, or a group by --fingerprint or another filter, or --all"
            raise WrongFilter([("", words)])


def _say_one(done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({done: 1})
    else:
        typer.echo(f"{counted(1, 'dead letter')} {done}.")
