"""Signing in to Telegram as a person, step by step.

Each step connects anew: a person may look for the code for longer than Telegram keeps an idle connection, and while
they are asked nothing else runs, so that Ctrl-C ends the command at once. The steps share the session and its key.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from telethon import TelegramClient
from telethon.errors import (
    FloodWaitError,
    PasswordHashInvalidError,
    PhoneCodeEmptyError,
    PhoneCodeExpiredError,
    PhoneCodeInvalidError,
    PhoneNumberInvalidError,
    PhoneNumberUnoccupiedError,
    RPCError,
    SessionPasswordNeededError,
)
from telethon.sessions.string import StringSession
from telethon.utils import parse_phone

from common.settings import load_settings
from common.telegram.client import connect, create_client, disconnect
from common.telegram.settings import TelegramSettings
from postroom.output import Refused


class WrongAnswer(Exception):
    """The code or the password is not right; the message says so."""


class PasswordNeeded(Exception):
    """The code was right, and the account has a password."""


class SignIn:
    """One sign-in under way. Every step raises Refused where Telegram refuses or can't be reached."""

    def __init__(self) -> None:
        self.session = StringSession()
        self._settings = load_settings(TelegramSettings)
        self._phone = self._code_hash = ""

    async def send_code(self, phone: str) -> None:
        """Let Telegram send a code."""
        self._phone = phone
        if parse_phone(phone) is None:
            raise self._unknown()
        async with self._client() as client:
            self._code_hash = (await client.send_code_request(self._phone)).phone_code_hash

    async def with_code(self, code: str) -> str:
        """Sign in and return the account's name. Raises WrongAnswer, and PasswordNeeded."""
        async with self._client() as client:
            try:
                return _name(await client.sign_in(self._phone, code.strip(), phone_code_hash=self._code_hash))
            except (PhoneCodeInvalidError, PhoneCodeEmptyError):
                raise WrongAnswer("That is not the code.") from None
            except SessionPasswordNeededError:
                raise PasswordNeeded from None

    async def with_password(self, password: str) -> str:
        """Sign in, after the code, and return the account's name. Raises WrongAnswer."""
        async with self._client() as client:
            try:
                return _name(await client.sign_in(password=password))
            except PasswordHashInvalidError:
                raise WrongAnswer("That is not the password.") from None

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[TelegramClient]:
        client = create_client(self.session, self._settings, receive_updates=False)
        try:
            await connect(client)
            yield client
        except PhoneNumberInvalidError:
            raise self._unknown() from None
        except PhoneNumberUnoccupiedError:
            raise Refused(f"nobody has signed up with {self._phone}; do that in a Telegram app first") from None
        except PhoneCodeExpiredError:
            raise Refused("the code has expired; start again for a new one") from None
        except FloodWaitError as error:
            raise Refused(f"Telegram asks to wait {error.seconds} s before the next try") from None
        except (RPCError, OSError, TimeoutError) as error:
            raise Refused(f"Telegram: {str(error) or type(error).__name__}") from None
        finally:
            await disconnect(client)

    def _unknown(self) -> Refused:
        return Refused(f"{self._phone} is not a phone number that Telegram knows; begin with + and the country code")


def _name(user: object) -> str:
    username = getattr(user, "username", None)
    return f"@{username}" if username else str(getattr(user, "first_name", "") or getattr(user, "id", ""))
