"""`postroom login`: sign in to Telegram as a person, and print a string session."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from getpass import getpass
from typing import Annotated, Any

import typer

from postroom.output import Json, Refused, print_json, told

TRIES = 3


def login(
    phone: Annotated[str, typer.Option(help="The account's phone number, with its country code.")] = "",
    as_json: Json = False,
) -> None:
    """Sign in with a phone number, the code that Telegram sends, and the password where there is one.

    Prints a string session for TELETHON_SESSION. Whoever has it has the account: keep it like a password. It must be
    used in one place at a time, or Telegram destroys it.
    """
    from postroom.signing_in import PasswordNeeded, SignIn, WrongAnswer  # Telethon is slow to import: only here

    with told():
        sign_in = SignIn()
        asyncio.run(sign_in.send_code(phone or _asked("Phone")))
        try:
            name = _tried("The code that Telegram sent", sign_in.with_code, WrongAnswer)
        except PasswordNeeded:
            name = _tried("The account's password", sign_in.with_password, WrongAnswer, hidden=True)
    session = sign_in.session.save()
    if as_json:
        print_json({"account": name, "session": session})
        return
    typer.echo(f"Signed in as {name}. Put this line into .env, and nowhere else:\n", err=True)
    typer.echo(f"TELETHON_SESSION={session}")


def _tried(
    question: str,
    step: Callable[[str], Coroutine[Any, Any, str]],
    wrong: type[Exception],
    *,
    hidden: bool = False,
) -> str:
    """Ask up to three times; what `step` returns is the account's name."""
    for left in reversed(range(TRIES)):
        answer = _asked(question, hidden=hidden)
        try:
            return asyncio.run(step(answer))
        except wrong as error:
            if not left:
                raise Refused(f"{error} That was the third time; start again for a new code.") from None
            typer.echo(str(error), err=True)
    raise AssertionError("unreachable")


def _asked(question: str, *, hidden: bool = False) -> str:
    """Ask on stderr: stdout is for the session, and typer's prompt would leave a space there."""
    try:
        if hidden:
            return getpass(f"{question}: ", stream=sys.stderr)
        typer.echo(f"{question}: ", nl=False, err=True)
        return input()
    except (EOFError, KeyboardInterrupt):
        raise typer.Abort from None
