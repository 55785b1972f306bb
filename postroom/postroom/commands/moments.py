"""Moments as they are typed on the command line."""

from datetime import datetime

import typer


def moment(given: str | None, option: str) -> datetime | None:
    """Return a moment in ISO 8601; one without a zone is of this machine's. Raises typer.BadParameter."""
    if given is None:
        return None
    try:
        return datetime.fromisoformat(given).astimezone()
    except ValueError:
        raise typer.BadParameter(f"{given} is no time such as 2026-03-01T18:30", param_hint=option) from None
