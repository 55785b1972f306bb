"""How Telegram is reached: the real one, or a server in its place."""

import re
from typing import Annotated, Self

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator
from pydantic_core import PydanticCustomError

from common.settings import SettingsError, SettingsGroup

SANDBOX_API_ID, SANDBOX_API_HASH = 1, "0" * 32  # a server in place of Telegram welcomes any well-formed application


BOT_TOKEN = re.compile(r"[0-9]+:[A-Za-z0-9_-]+")  # https://core.telegram.org/bots/api#authorizing-your-bot


def _bot_token(token: SecretStr) -> SecretStr:
    given = token.get_secret_value()
    if given and not BOT_TOKEN.fullmatch(given):
        raise PydanticCustomError("bot_token", "it is no token of @BotFather, such as 123456789:AA…")
    return token


BotToken = Annotated[SecretStr, AfterValidator(_bot_token)]


class TelegramSettings(SettingsGroup):
    """The application that signs in, and the server that it talks to."""

    telegram_server: str = Field(
        default="", pattern=r"^$|^[^\s:]+:\d{1,5}$", description="host:port of a server in place of Telegram, as IPv4"
    )
    telegram_server_public_key: str = Field(default="", description="the RSA key of that server, PKCS#1 PEM")
    telegram_dc: int = Field(default=2, ge=1, le=5, description="the data centre that TELEGRAM_SERVER stands for")
    telegram_api_id: int = Field(default=0, ge=0, description="from https://my.telegram.org")
    telegram_api_hash: SecretStr = Field(default=SecretStr(""), description="from https://my.telegram.org")

    @property
    def sandboxed(self) -> bool:
        """Whether a server stands in for Telegram."""
        return bool(self.telegram_server)

    @property
    def server_address(self) -> tuple[str, int]:
        """Host and port of the server in place of Telegram."""
        host, _, port = self.telegram_server.rpartition(":")
        return host, int(port)

    @property
    def application(self) -> tuple[int, str]:
        """The id and the hash that the application signs in with."""
        if self.sandboxed:
            return self.telegram_api_id or SANDBOX_API_ID, self.telegram_api_hash.get_secret_value() or SANDBOX_API_HASH
        return self.telegram_api_id, self.telegram_api_hash.get_secret_value()

    @field_validator("telegram_server_public_key")
    @classmethod
    def _with_line_breaks(cls, key: str) -> str:
        return key.replace("\\n", "\n")  # how a PEM is written on one line of an .env file

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if self.sandboxed:
            if not self.telegram_server_public_key:
                raise SettingsError("TELEGRAM_SERVER_PUBLIC_KEY is not set (the key of the server in TELEGRAM_SERVER)")
        elif not self.telegram_api_id:
            raise SettingsError("TELEGRAM_API_ID is not set (from https://my.telegram.org)")
        elif not self.telegram_api_hash.get_secret_value():
            raise SettingsError("TELEGRAM_API_HASH is not set (from https://my.telegram.org)")
        return self


class SessionSettings(SettingsGroup):
    """The user account that reads."""

    telethon_session: SecretStr = Field(
        default=SecretStr(""), description="a user's session: a string session, or the path of a session file"
    )
