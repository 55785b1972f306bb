"""`postroom broadcasts`: look at broadcasts, and decide about them."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict
from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from common.broadcasts import OLD_NAMES, QUEUE, STATUSES, Broadcast, Broadcasts, ChatOutcome
from common.queues.records import Pause, QueueRecords, Replica
from postroom.commands.broadcast import broadcast_json, state
from postroom.commands.ids import task_id as task_id_of
from postroom.commands.moments import moment
from postroom.commands.queues import pause_queues, resume_queues, said, say_late
from postroom.connections import System, connected
from postroom.output import Json, counted, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="Broadcasts: list, show, pause, resume, cancel.")

ERROR_SHOWN = 100  # characters

AN_ID = typer.Argument(parser=task_id_of, metavar="TASK_ID", help="The id of a broadcast, or the beginning of it.")
TaskId = Annotated[str, AN_ID]
MaybeTaskId = Annotated[str | None, AN_ID]


@app.command("list")
def list_broadcasts(
    status: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """List broadcasts, the newest first."""
    if status is not None and status not in (*STATUSES, *OLD_NAMES):
        raise typer.BadParameter(f"{status} is not one of {', '.join(STATUSES)}", param_hint="--status")

    async def find() -> tuple[list[Broadcast], list[Pause]]:
        async with connected() as system, _broadcasts(system) as broadcasts:
            return await broadcasts.latest(status, limit=limit), await QueueRecords(system.database).pauses([QUEUE])

    found, paused = run(find)
    if as_json:
        print_json([broadcast_json(each) for each in found])
        return
    _say_pause(paused)
    if not found:
        typer.echo("No broadcasts.")
    print_table(
        ("Broadcast", "Created", "State", "Chats", "Sent", "Errors", "Skipped", "Of", "Last error"),
        (
            (each.id, each.created_at, state(each), f"{each.done}/{each.total or '?'}", each.sent_count,
             each.error_count, each.skipped_count, f"post {each.post_id}" if each.post_id else (each.text or "")[:40],
             (each.last_error or "")[:ERROR_SHOWN])
            for each in found
        ),
    )  # fmt: skip


@app.command()
def show(task_id: TaskId, as_json: Json = False) -> None:
    """Show one broadcast: what came of each chat, how many are left, and when it may end."""

    async def get() -> tuple[Broadcast, list[ChatOutcome], list[Pause]]:
        async with connected() as system, _broadcasts(system) as broadcasts:
            found = await broadcasts.get(await broadcasts.find(task_id))
            return found, await broadcasts.chats(found.id), await QueueRecords(system.database).pauses([QUEUE])

    found, chats, paused = run(get)
    if as_json:
        print_json(
            broadcast_json(found)
            | {"chats": [asdict(chat) for chat in chats], "queue_paused": asdict(paused[0]) if paused else None}
        )
        return
    if not found.ended:
        _say_pause(paused)
    of = f"post {found.post_id}" if found.post_id else found.text or ""
    lines = (
        ("broadcast", found.id),
        ("of", f"{of}, forwarded" if found.forward else of),
        ("state", state(found)),
        ("account", found.account or "whichever is free"),
        (
            "chats",
            f"{found.done} of {found.total} done, {found.left} left"
            if found.total
            else "TARGET_CHAT_IDS of the userbot",
        ),
        ("", f"{found.sent_count} sent, {counted(found.error_count, 'error')}, {found.skipped_count} skipped"),
        ("attempts", found.attempts),
        ("created", f"{found.created_at:%Y-%m-%d %H:%M:%S}"),
        ("not before", f"{found.not_before:%Y-%m-%d %H:%M:%S}" if _is_to_come(found) else ""),
        ("started", f"{found.started_at:%Y-%m-%d %H:%M:%S}" if found.started_at else ""),
        ("ended", f"{found.finished_at:%Y-%m-%d %H:%M:%S}" if found.finished_at else ""),
        ("ends about", f"{found.ends_at:%Y-%m-%d %H:%M:%S}" if found.ends_at else ""),
        ("last error", found.last_error or ""),
    )
    for name, value in lines:
        if value != "":
            typer.echo(f"{name:<12} {value}")
    print_table(
        ("Chat", "Outcome", "Tries", "At (UTC)", "Messages", "Error"),
        (
            (chat.chat, chat.outcome or ("not sent" if found.ended else "waits"), chat.attempts, chat.at,
             " ".join(map(str, chat.message_ids)), chat.error)
            for chat in chats
        ),
        gap=True,
    )  # fmt: skip


@app.command()
def pause(
    task_id: MaybeTaskId = None,
    everything: Annotated[bool, typer.Option("--all", help="All broadcasts, also those to come.")] = False,
    reason: Annotated[str, typer.Option(help="With --all: why, for those who wonder.")] = "",
    until: Annotated[str | None, typer.Option(help="With --all: until this time, such as 2026-03-01T18:30.")] = None,
    as_json: Json = False,
) -> None:
    """Let a broadcast, or all of them, stand still after the chat that is under way."""
    _one_of(task_id, everything)
    if (reason or until) and not everything:
        raise typer.BadParameter("goes with --all", param_hint="--reason" if reason else "--until")
    end = moment(until, "--until")
    if task_id:
        found = _decide(task_id, lambda broadcasts, which: broadcasts.pause(which, person()))
        _say(found, "paused", as_json=as_json)
    else:
        _, late = pause_queues([QUEUE], reason=reason, until=end)
        _say(None, "paused", as_json=as_json)
        if not as_json:
            say_late(late)


@app.command()
def resume(
    task_id: MaybeTaskId = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are not paused themselves.")] = False,
    account: Annotated[str | None, typer.Option(help="An account that Telegram had stopped for spam.")] = None,
    as_json: Json = False,
) -> None:
    """Let a broadcast, all of them, or those of an account go on."""
    _one_of(task_id, everything, account)
    found: UUID | None = None
    late: list[Replica] = []
    if task_id:
        found = _decide(task_id, lambda broadcasts, which: broadcasts.resume(which))
    elif account:
        _decide_all(lambda broadcasts: broadcasts.resume_account(account))
    else:
        _, late = resume_queues([QUEUE])
    _say(found, "resumed", account=account, as_json=as_json)
    if not as_json:
        say_late(late)


@app.command()
def cancel(task_id: TaskId, as_json: Json = False) -> None:
    """End a broadcast, after the chat that is under way. What was sent stays."""
    found = _decide(task_id, lambda broadcasts, which: broadcasts.cancel(which, person()))
    _say(found, "cancelled", as_json=as_json)


@asynccontextmanager
async def _broadcasts(system: System) -> AsyncIterator[Broadcasts]:
    with system.rails() as rails:
        yield Broadcasts(system.database, rails)


def _decide(beginning: str, work: Callable[[Broadcasts, UUID], Awaitable[object]]) -> UUID:
    """Decide about one broadcast, and return which."""

    async def decide() -> UUID:
        async with connected() as system, _broadcasts(system) as broadcasts:
            found = await broadcasts.find(beginning)
            await work(broadcasts, found)
            return found

    return run(decide)


def _decide_all(work: Callable[[Broadcasts], Awaitable[object]]) -> None:
    async def decide() -> None:
        async with connected() as system, _broadcasts(system) as broadcasts:
            await work(broadcasts)

    run(decide)


def _is_to_come(found: Broadcast) -> bool:
    return not found.ended and found.not_before > datetime.now(found.not_before.tzinfo)


def _one_of(*given: object) -> None:
    if sum(map(bool, given)) != 1:
        options = "--all" if len(given) == 2 else "--all, or --account"
        raise typer.BadParameter(f"name one broadcast by its id, or {options}", param_hint="TASK_ID")


def _say(task_id: UUID | None, done: str, *, account: str | None = None, as_json: bool) -> None:
    if as_json:
        print_json({done: task_id or account or "all"})
    elif task_id:
        typer.echo(f"Broadcast {task_id} is {done}.")
    else:
        typer.echo(f"Account {account} is {done}." if account else f"All broadcasts are {done}.")


def _say_pause(pauses: list[Pause]) -> None:
    for pause in pauses:
        typer.echo(f"All broadcasts are {said(pause)}")
