"""Ids as they are typed on the command line; what is malformed is named as the usage line names it."""

import re
from uuid import UUID

import typer

BEGINNING = re.compile(r"[0-9a-f-]{4,36}")  # of an id: what a table shows, copied in part


def post_id(given: str) -> UUID:
    """Return the id of a post. Raises typer.BadParameter."""
    try:
        return UUID(given.strip())
    except ValueError:
        raise typer.BadParameter(f"{given!r} is no id of a post", param_hint="POST_ID") from None


def task_id(given: str) -> str:
    """Return the id of a broadcast, or the beginning of it. Raises typer.BadParameter."""
    found = given.strip().lower()
    if not BEGINNING.fullmatch(found):
        raise typer.BadParameter(
            f"{given!r} is no id of a broadcast, nor four or more characters of its beginning", param_hint="TASK_ID"
        )
    return found
