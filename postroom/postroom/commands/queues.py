"""`postroom queues`: how the queues stand, pausing them, and settings that change while the services run."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from common import audit
from common.queues.control import Enforcement, QueueControl
from common.queues.effective import Setting, effective
from common.queues.records import Pause, QueueRecords, Replica
from common.queues.standing import QueueStanding, standing
from postroom.commands.moments import moment
from postroom.connections import System, connected
from postroom.output import Json, Result, lasting, print_json, print_table, run
from postroom.person import person

app = typer.Typer(help="Queues: how they stand, pause, resume, settings.")

DURATION = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}

Names = Annotated[list[str] | None, typer.Argument(metavar="QUEUE…", help="Such as rewrite_queue.")]
Everything = Annotated[bool, typer.Option("--all", help="All queues.")]
Reason = Annotated[str, typer.Option(help="Why, for those who wonder.")]


@app.callback(invoke_without_command=True)
def queues(context: typer.Context) -> None:
    """List the queues."""
    if context.invoked_subcommand is None:
        list_queues()


@app.command("list")
def list_queues(as_json: Json = False) -> None:
    """List the queues, the urgent ones first."""

    async def find() -> list[QueueStanding]:
        async with connected() as system:
            return await standing(system.database, system.stream)

    found = run(find)
    if as_json:
        print_json([_json(each) for each in found])
        return
    print_table(
        ("Queue", "Priority", "Waiting", "In flight", "Redelivered", "Behind", "Oldest", "Per s", "Done in", "State"),
        (
            (each.queue, each.priority, each.waiting, each.in_flight, each.redelivered,
             each.behind.behind if each.behind else None, lasting(each.oldest_seconds), each.rate,
             lasting(each.eta_seconds), said(each.pause) if each.pause else "")
            for each in found
        ),
    )  # fmt: skip


@app.command()
def show(queue: str, as_json: Json = False) -> None:
    """Show one queue: its settings and where they are from, its durables, and who works on it."""

    async def find() -> tuple[QueueStanding, list[Setting]]:
        async with connected() as system:
            QueueControl(system.database).queues(queue)
            found = next(each for each in await standing(system.database, system.stream) if each.queue == queue)
            changes = await QueueRecords(system.database).changes([queue])
            return found, effective(queue, found.replicas, changes)

    found, settings = run(find)
    if as_json:
        print_json(_json(found) | {"settings": [asdict(each) for each in settings]})
        return
    behind = found.behind
    lines = (
        ("queue", f"{queue}, priority {found.priority}"),
        ("state", said(found.pause) if found.pause else "runs"),
        ("messages", f"{found.waiting} waiting, {found.in_flight} in flight, {found.redelivered} of them redelivered"),
        ("behind", f"{behind.behind} {behind.what}, {behind.running} under way" if behind else ""),
        ("oldest", lasting(found.oldest_seconds)),
        ("rate", f"{found.rate:.2f} jobs per second"),
        ("done in", lasting(found.eta_seconds)),
    )
    for name, value in lines:
        if value:
            typer.echo(f"{name:<10} {value}")
    print_table(
        ("Setting", "Value", "Origin"),
        (
            (each.name, f"{each.value:g}",
             f"changed {each.changed_at:%Y-%m-%d %H:%M} UTC by {each.changed_by}{_because(each.reason)}"
             if each.changed_at else each.origin)
            for each in settings
        ),
        gap=True,
    )  # fmt: skip
    print_table(
        ("Durable", "Subject", "Waiting", "In flight", "Oldest", "On the server"),
        (
            (each.name, each.subject, each.waiting, each.in_flight, lasting(each.oldest_seconds),
             "paused" if each.paused else "gives messages")
            for each in found.durables
        ),
        gap=True,
    )  # fmt: skip
    print_table(
        ("Service", "Replica", "Durable", "Runs", "Per s", "State"),
        (
            (each.service, each.replica, each.durable, each.in_flight, each.rate, "holds" if each.holding else "works")
            for each in found.replicas
        ),
        gap=True,
    )  # fmt: skip
    if not found.replicas:
        typer.echo("\nNobody works on it: of its settings, only what was changed is known.")


@app.command()
def pause(
    names: Names = None,
    everything: Everything = False,
    reason: Reason = "",
    until: Annotated[str | None, typer.Option(help="Until this time, such as 2026-03-01T18:30.")] = None,
    lasts: Annotated[str | None, typer.Option("--for", help="For so long: 90s, 30m, 2h, 1d.")] = None,
    as_json: Json = False,
) -> None:
    """Let queues stand still with all that is behind them; what runs may finish. Survives restarts, loses nothing."""
    if until and lasts:
        raise typer.BadParameter("goes without --until", param_hint="--for")
    end = datetime.now(UTC) + duration(lasts) if lasts else moment(until, "--until")
    _say(*pause_queues(_named(names, everything=everything), reason=reason, until=end), done="paused", as_json=as_json)


@app.command()
def resume(names: Names = None, everything: Everything = False, as_json: Json = False) -> None:
    """Let queues go on."""
    _say(*resume_queues(_named(names, everything=everything)), done="resumed", as_json=as_json)


@app.command("set")
def set_settings(
    queue: str,
    settings: Annotated[list[str], typer.Argument(metavar="SETTING=VALUE…", help="Such as concurrency=8.")],
    reason: Reason = "",
    as_json: Json = False,
) -> None:
    """Change settings of a queue, in all replicas, without a restart."""
    given = {}
    for each in settings:
        name, equals, value = each.partition("=")
        if not equals:
            raise typer.BadParameter(f"{each} is not of the form SETTING=VALUE", param_hint="SETTING=VALUE")
        given[name] = value

    async def change(control: QueueControl) -> dict[str, Any]:
        return await control.change(queue, given, by=person(), reason=reason)

    _change(queue, change, as_json=as_json)


@app.command()
def unset(
    queue: str,
    settings: Annotated[list[str] | None, typer.Argument(metavar="SETTING…", help="All, where none is named.")] = None,
    as_json: Json = False,
) -> None:
    """Take changes back, so that the environment or the default holds."""

    async def change(control: QueueControl) -> dict[str, Any]:
        return dict.fromkeys(await control.unset(queue, settings or ()))

    _change(queue, change, as_json=as_json)


def pause_queues(names: Sequence[str], *, reason: str, until: datetime | None) -> tuple[list[str], list[Replica]]:
    """Pause these queues, or all where none is named; return which, and who did not follow."""

    async def decide(system: System) -> tuple[list[str], list[Replica]]:
        control = QueueControl(system.database)
        chosen = control.queues(*names)
        await control.pause(chosen, by=person(), reason=reason, until=until)
        for queue in chosen:
            after = {"reason": reason, "until": until.isoformat() if until else None}
            await audit.record(system.database, person(), "pause_queue", f"/api/v1/queues/{queue}", after=after)
        return chosen, await _enforcement(system).bring(chosen, by=person(), event="queue.paused")

    return run(lambda: _within(decide))


def resume_queues(names: Sequence[str]) -> tuple[list[str], list[Replica]]:
    """Let these queues go on, or all where none is named; return those that stood still, and who did not follow."""

    async def decide(system: System) -> tuple[list[str], list[Replica]]:
        control = QueueControl(system.database)
        chosen = control.queues(*names)
        stood = await control.resume(chosen)
        for queue in stood:
            await audit.record(system.database, person(), "resume_queue", f"/api/v1/queues/{queue}")
        return stood, await _enforcement(system).bring(chosen, by=person(), event="queue.resumed")

    return run(lambda: _within(decide))


def said(pause: Pause) -> str:
    """Say that a queue is paused, until when, by whom and why."""
    until = f" until {pause.until.astimezone(UTC):%Y-%m-%d %H:%M} UTC" if pause.until else ""
    return f"paused{until} by {pause.paused_by}{_because(pause.reason)}"


def duration(given: str) -> timedelta:
    """Return a duration such as 90s, 30m, 2h or 1d. Raises typer.BadParameter."""
    found = DURATION.fullmatch(given)
    if not found or not (seconds := float(found[1]) * UNITS[found[2]]) or seconds > 36_500 * UNITS["d"]:
        raise typer.BadParameter(f"{given} is no duration such as 90s, 30m, 2h or 1d", param_hint="--for")
    return timedelta(seconds=seconds)


def _named(names: list[str] | None, *, everything: bool) -> list[str]:
    if bool(names) == everything:
        raise typer.BadParameter("name queues, or --all", param_hint="QUEUE")
    return names or []


def _change(queue: str, change: Callable[[QueueControl], Awaitable[dict[str, Any]]], *, as_json: bool) -> None:
    async def decide(system: System) -> tuple[dict[str, Any], list[Replica]]:
        records = QueueRecords(system.database)
        before = {each.field: each.value for each in await records.changes([queue])}
        values = await change(QueueControl(system.database))
        after = {each.field: each.value for each in await records.changes([queue])}
        path = f"/api/v1/queues/{queue}"
        await audit.record(system.database, person(), "change_queue_settings", path, before=before, after=after)
        return values, await _enforcement(system).bring([queue], by=person())

    values, late = run(lambda: _within(decide))
    if as_json:
        print_json({"queue": queue, "settings": values, "not_following": [asdict(each) for each in late]})
        return
    for name, value in values.items():
        typer.echo(f"{queue}.{name} is {'no longer changed' if value is None else f'{value:g}'}.")
    if not values:
        typer.echo(f"Nothing of {queue} was changed.")
    say_late(late)


async def _within(work: Callable[[System], Awaitable[Result]]) -> Result:
    async with connected() as system:
        return await work(system)


def _enforcement(system: System) -> Enforcement:
    return Enforcement(system.database, system.nats)


def _say(chosen: list[str], late: list[Replica], *, done: str, as_json: bool) -> None:
    if as_json:
        print_json({done: chosen, "not_following": [asdict(each) for each in late]})
        return
    typer.echo(f"{', '.join(chosen)}: {done}." if chosen else "Nothing of that was paused.")
    say_late(late)


def say_late(late: Sequence[Replica]) -> None:
    """Say who did not follow."""
    for each in late:
        typer.echo(f"! {each.service} ({each.replica}) does not follow yet: it died, or can't reach the database.")


def _because(reason: str | None) -> str:
    return f": {reason}" if reason else ""


def _json(found: QueueStanding) -> dict[str, Any]:
    return asdict(found) | {"backlog": found.backlog}
