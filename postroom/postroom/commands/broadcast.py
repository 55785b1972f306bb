"""`postroom broadcast`: send a post, or a text, to many chats as a user account."""

import asyncio
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

import typer
from rich.console import Console

from common.broadcasts import Broadcast, Broadcasts, NoSuchBroadcast
from common.events import BroadcastRequested
from common.postgres import UNREACHABLE, Queries, bounded
from postroom.commands.chat_addresses import chat_addresses
from postroom.commands.ids import post_id as post_id_of
from postroom.commands.moments import moment
from postroom.connections import NotFound, System, connected
from postroom.output import EXIT_FAILED, Json, Refused, counted, print_json, run

LOOK_EVERY_SECONDS = 0.5
AWAITED_SECONDS = 5.0  # a send that takes longer is worth telling of
AWAY_SECONDS = 10.0  # a server that is started again is back by then


def broadcast(
    post_id: Annotated[
        UUID | None, typer.Argument(parser=post_id_of, metavar="POST_ID", help="The id of a post.")
    ] = None,
    text: Annotated[str | None, typer.Option(help="Instead of a post: a text in Telegram markdown.")] = None,
    chats: Annotated[
        list[str] | None,
        typer.Option(help="Ids or @names, separated by commas. Default: TARGET_CHAT_IDS of the userbot."),
    ] = None,
    forward: Annotated[
        bool, typer.Option("--forward", help="Forward the published message instead of sending a copy.")
    ] = False,
    account: Annotated[
        str | None,
        typer.Option(help="The account that sends, USERBOT_ACCOUNT of a userbot. Default: whichever is free."),
    ] = None,
    at: Annotated[str | None, typer.Option(help="Not before this time, such as 2026-03-01T18:30.")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Show the progress until it ends.")] = False,
    as_json: Json = False,
) -> None:
    """Send a post, or a text, to many chats, one after the other. Prints the id of the broadcast."""
    if (post_id is None) == (text is None or not text.strip()):
        raise typer.BadParameter("give either the id of a post, or --text", param_hint="POST_ID")
    if forward and post_id is None:
        raise typer.BadParameter("only a post that was published can be forwarded", param_hint="--forward")
    request = BroadcastRequested(
        post_id=post_id,
        text=text if post_id is None else None,
        target_chat_ids=chat_addresses(chats or [], "--chats"),
        forward=forward,
        account=account,
        not_before=moment(at, "--at"),
    )
    task_id, doubt = run(lambda: _request(request))
    if doubt:
        typer.echo(f"postroom: {doubt}", err=True)
    if not wait:
        _say(task_id, as_json=as_json)
        return
    ended = run(lambda: _watch(task_id))
    if as_json:
        print_json(broadcast_json(ended))
    else:
        typer.echo(f"{task_id} {_progress(ended)}")
    if ended.status != "done":
        raise typer.Exit(EXIT_FAILED)


def broadcast_json(found: Broadcast) -> dict[str, Any]:
    """Return a broadcast for programs."""
    return {name: getattr(found, name) for name in Broadcast.__dataclass_fields__} | {"left": found.left}


def _say(task_id: UUID, *, as_json: bool) -> None:
    if as_json:
        print_json({"id": task_id})
    else:
        typer.echo(f"{task_id} is on its way: `postroom broadcasts show {task_id}`")


async def _request(request: BroadcastRequested) -> tuple[UUID, str | None]:
    """Return the id of the task, and what speaks against its being sent soon."""
    async with connected() as system:
        if request.post_id is not None:
            await _check(system, request.post_id, forward=request.forward)
        with system.rails() as rails:
            broadcasts = Broadcasts(system.database, rails)
            doubt = await _unknown_account(broadcasts, request.account)
            return await broadcasts.request(request), doubt


async def _unknown_account(broadcasts: Broadcasts, account: str | None) -> str | None:
    """Return a warning where no userbot of this name has run here yet; one that is still to be started may be meant."""
    if account is None or account in (known := await broadcasts.accounts()):
        return None
    there_are = f"there are {', '.join(known)}" if known else "none has run here yet"
    return f"no userbot of the account {account} has run here ({there_are}): the broadcast waits until one does"


async def _check(system: System, post_id: UUID, *, forward: bool) -> None:
    """Refuse what the userbot would refuse later."""
    row = await system.database.fetchrow(Queries.load("postroom", "stack.sql")["to_broadcast"], post_id)
    if row is None:
        raise Refused(f"there is no post {post_id}")
    if row["duplicate_of"]:
        raise Refused(f"post {post_id} is a duplicate of {row['duplicate_of']}")
    if forward and not row["published"]:
        raise Refused(f"post {post_id} can't be forwarded: it was not published on Telegram")


async def _watch(task_id: UUID) -> Broadcast:
    console = Console(stderr=True, highlight=False)
    shown = ""
    async with connected() as system:
        with system.rails() as rails, console.status("waits for the userbot") as status:
            broadcasts = Broadcasts(system.database, rails)
            while True:
                try:
                    found = await bounded(_found(broadcasts, task_id), AWAY_SECONDS)
                except UNREACHABLE:
                    raise NotFound(
                        "PostgreSQL can't be reached any more. The broadcast goes on when the services are back: "
                        f"`postroom broadcasts show {task_id}`"
                    ) from None
                progress = _progress(found) if found else "waits for the userbot"
                if progress != shown:
                    shown = progress
                    status.update(progress)
                    if not console.is_terminal:
                        console.print(progress, markup=False, soft_wrap=True)
                if found and found.ended:
                    return found
                await asyncio.sleep(LOOK_EVERY_SECONDS)


async def _found(broadcasts: Broadcasts, task_id: UUID) -> Broadcast | None:
    try:
        return await broadcasts.get(task_id)
    except NoSuchBroadcast:  # the userbot has not taken the request yet
        return None


def _progress(found: Broadcast) -> str:
    parts = [state(found), f"{found.done} of {counted(found.total, 'chat')}" if found.total else ""]
    parts += [counted(found.error_count, "error") if found.error_count else "", found.last_error or ""]
    return ", ".join(filter(None, parts))


def state(found: Broadcast, now: datetime | None = None) -> str:
    """Return how a broadcast stands, in words."""
    if found.ended:
        return found.status
    if found.cancel_requested_at:
        return "is being cancelled"
    if found.paused_at:
        return f"paused by {found.paused_by}"
    if found.stopped_reason:
        which = f"account {found.account}" if found.account else "every account"
        return f"waits: {which} was stopped ({found.stopped_reason})"
    now = now or datetime.now(found.not_before.tzinfo)
    if found.status == "pending" and found.not_before > now:
        return f"due {found.not_before:%Y-%m-%d %H:%M:%S} UTC"
    if found.awaited_since and (now - found.awaited_since).total_seconds() > AWAITED_SECONDS:
        return f"{found.status}, an answer of Telegram is awaited since {found.awaited_since:%H:%M:%S} UTC"
    return found.status
