"""`postroom login`: sign in to Telegram as a person, and print a string session."""

import asyncio
from collections.abc import Callable
from typing import Annotated

import typer
from telethon.errors import (
    FloodWaitError,
    PasswordHashInvalidError,
    PhoneCodeExpiredError,
    PhoneCodeInvalidError,
    PhoneNumberInvalidError,
    RPCError,
    SessionPasswordNeededError,
)
from telethon.sessions.string import StringSession

from common.service import load_settings
from common.telegram.client import connect, create_client, disconnect
from common.telegram.settings import TelegramSettings
from postroom.output import Json, Refused, print_json, run

TRIES = 3


def login(
    phone: Annotated[str, typer.Option(help="The account's phone number, with its country code.", prompt=True)],
    as_json: Json = False,
) -> None:
    """Sign in with a phone number, the code that Telegram sends, and the password where there is one.

    Prints a string session for TELETHON_SESSION. Whoever has it has the account: keep it like a password. It must be
    used in one place at a time, or Telegram destroys it.
    """
    name, session = run(lambda: _login(phone))
    if as_json:
        print_json({"account": name, "session": session})
        return
    typer.echo(f"Signed in as {name}. Put this line into .env, and nowhere else:\n", err=True)
    typer.echo(f"TELETHON_SESSION={session}")


async def _login(phone: str) -> tuple[str, str]:
    session = StringSession()
    client = create_client(session, load_settings(TelegramSettings), receive_updates=False)
    try:
        await connect(client)
        sent = await client.send_code_request(phone)
        user = await _signed_in(client, phone, sent.phone_code_hash)
        return user, session.save()
    except PhoneNumberInvalidError:
        raise Refused(
            f"{phone} is not a phone number that Telegram knows; begin it with + and the country code"
        ) from None
    except FloodWaitError as error:
        raise Refused(f"Telegram asks to wait {error.seconds} s before the next try") from None
    except (RPCError, OSError, TimeoutError) as error:
        raise Refused(f"Telegram: {str(error) or type(error).__name__}") from None
    finally:
        await disconnect(client)


async def _signed_in(client: object, phone: str, code_hash: str) -> str:
    sign_in = client.sign_in  # type: ignore[attr-defined]
    for left in reversed(range(TRIES)):
        code = await _asked(lambda: typer.prompt("The code that Telegram sent", err=True))
        try:
            user = await sign_in(phone, code.strip(), phone_code_hash=code_hash)
        except PhoneCodeInvalidError:
            if not left:
                raise Refused("the code was wrong three times; start again for a new one") from None
            typer.echo("That is not the code.", err=True)
        except PhoneCodeExpiredError:
            raise Refused("the code has expired; start again for a new one") from None
        except SessionPasswordNeededError:
            return await _with_password(client)
        else:
            return _name(user)
    raise AssertionError("unreachable")


async def _with_password(client: object) -> str:
    sign_in = client.sign_in  # type: ignore[attr-defined]
    for left in reversed(range(TRIES)):
        password = await _asked(lambda: typer.prompt("The account's password", hide_input=True, err=True))
        try:
            return _name(await sign_in(password=password))
        except PasswordHashInvalidError:
            if not left:
                raise Refused("the password was wrong three times") from None
            typer.echo("That is not the password.", err=True)
    raise AssertionError("unreachable")


async def _asked(question: Callable[[], str]) -> str:
    """Ask in a thread: the connection must be kept alive while a person looks for the code."""
    return await asyncio.to_thread(question)


def _name(user: object) -> str:
    username = getattr(user, "username", None)
    return f"@{username}" if username else str(getattr(user, "first_name", "") or getattr(user, "id", ""))
