"""`postroom trace`: everything that happened to one post."""

from typing import Annotated, Any
from uuid import UUID

import typer

from common.postgres import Queries
from postroom.connections import connected
from postroom.output import Json, Refused, print_json, print_table, run


def trace(post_id: Annotated[UUID, typer.Argument(help="The id of a post.")], as_json: Json = False) -> None:
    """Show everything that happened to a post, in order, with times and trace ids."""
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


async def _trace(post_id: UUID) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    sql = Queries.load("postroom", "stack.sql")
    async with connected() as system:
        post = await system.database.fetchrow(sql["trace_post"], post_id)
        if post is None:
            raise Refused(f"there is no post {post_id}")
        return dict(post), [dict(row) for row in await system.database.fetch(sql["trace_events"], post_id)]
