"""`postroom trace`: everything that happened to one post."""

from typing import Annotated, Any
from uuid import UUID

import typer

from common.postgres import Queries
from common.timeline import Timeline
from postroom.commands.ids import post_id as post_id_of
from postroom.connections import connected
from postroom.output import Json, Refused, print_json, print_table, run

STATES = ("pending", "scheduled", "awaiting", "published", "rejected", "duplicate", "cancelled", "dead")


def trace(
    post_id: Annotated[
        UUID | None,
        typer.Argument(
            parser=post_id_of, metavar="[POST_ID]", help="The id of a post. Without: the latest posts, with their ids."
        ),
    ] = None,
    state: Annotated[str | None, typer.Option(help=f"Without an id: only posts that are {', '.join(STATES)}.")] = None,
    as_json: Json = False,
) -> None:
    """Show everything that happened to a post, in order, with times and trace ids; without an id, list posts."""
    if state not in (None, *STATES):
        raise typer.BadParameter(f"{state} is not one of {', '.join(STATES)}", param_hint="--state")
    if post_id is None:
        _list(run(lambda: _latest(state)), as_json=as_json)
        return
    post, history = run(lambda: _trace(post_id))
    if as_json:
        print_json({"post": post, "history": history})
        return
    typer.echo(f"{post['source']} · {post['external_id']} · {post['state']}")
    typer.echo(f"{post['text'][:100].replace(chr(10), ' ')}\n")
    print_table(
        ("When (UTC)", "What", "Detail", "Trace"),
        ((f"{row['at']:%Y-%m-%d %H:%M:%S.%f}"[:-3], row["what"], row["detail"], row["trace_id"]) for row in history),
    )


def _list(posts: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        print_json(posts)
    elif not posts:
        typer.echo("No posts.")
    else:
        print_table(
            ("Post", "Collected", "Source", "State", "Text"),
            ((row["id"], row["collected_at"], row["source"], row["state"], row["text"]) for row in posts),
        )


async def _latest(state: str | None) -> list[dict[str, Any]]:
    sql = Queries.load("postroom", "stack.sql")
    async with connected() as system:
        return [dict(row) for row in await system.database.fetch(sql["latest_posts"], state)]


async def _trace(post_id: UUID) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    sql = Queries.load("postroom", "stack.sql")
    async with connected() as system:
        post = await system.database.fetchrow(sql["trace_post"], post_id)
        if post is None:
            raise Refused(f"there is no post {post_id}")
        return dict(post), [
            {"at": each.at, "what": each.what, "detail": each.detail, "trace_id": each.trace_id}
            for each in await Timeline(system.database).of(post_id)
        ]
