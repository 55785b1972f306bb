"""`postroom run SERVICE`: one service alone."""

import importlib
import importlib.util
import sys
from typing import Annotated

import typer

from postroom.stack.stack import SERVICES


def serve(service: Annotated[str, typer.Argument(help=f"One of {', '.join(SERVICES)}.")]) -> None:
    """Run one service in the foreground, from its settings (environment or .env), until Ctrl-C or SIGTERM."""
    if service not in SERVICES:
        raise typer.BadParameter(f"{service} is not a service; there are {', '.join(SERVICES)}")
    if importlib.util.find_spec(service) is None:
        raise typer.BadParameter(f"{service} is not installed here")
    sys.argv[1:] = []
    importlib.import_module(f"{service}.app").main()
