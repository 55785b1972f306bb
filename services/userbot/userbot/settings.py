"""The userbot's own settings."""

from typing import Annotated, Self

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import NoDecode

from common.service import SettingsGroup
from common.settings import SettingsError
from common.telegram.addresses import checked
from common.telegram.settings import BotToken


class UserbotSettings(SettingsGroup):
    """Which account sends, to whom, and how fast."""

    telethon_session: SecretStr = Field(
        default=SecretStr(""), description="a user's session: a string session, or the path of a session file"
    )
    userbot_telethon_session: SecretStr = Field(
        default=SecretStr(""), description="the same for the userbot alone, where another account reads"
    )
    userbot_own_session: bool = Field(
        default=False, description="true: TELETHON_SESSION is another service's; set by `postroom up` for its collector"
    )
    userbot_account: str = Field(
        default="userbot", pattern=r"^[\w.@+-]{1,64}$", description="the account's name in tasks and records"
    )
    target_chat_ids: Annotated[tuple[str, ...], NoDecode] = Field(
        default=(), description="where tasks go that name no chats, separated by commas"
    )
    min_seconds_between_chats: float = Field(default=20, ge=0, le=86_400)
    max_seconds_between_chats: float = Field(default=40, ge=0, le=86_400)
    worker_poll_seconds: float = Field(default=5, gt=0, le=3600, description="how often tasks are looked for")
    max_task_attempts: int = Field(default=3, ge=1, le=1000, description="takes of a task that may fail")
    account_messages_per_day: int = Field(default=0, ge=0, description="chats that get a post in 24 hours; 0: no cap")
    unknown_after_seconds: float = Field(
        default=300, gt=0, description="a send without an answer is repeated for so long, then looked for"
    )
    userbot_link_preview: bool = Field(default=True, description="show a preview of the first link")

    @property
    def session(self) -> str:
        """The session that sends; empty where the userbot is not set up."""
        shared = "" if self.userbot_own_session else self.telethon_session.get_secret_value()
        return self.userbot_telethon_session.get_secret_value() or shared

    @property
    def session_variable(self) -> str:
        """The variable that the session is from, for people who have to mend it."""
        own = self.userbot_own_session or self.userbot_telethon_session.get_secret_value()
        return "USERBOT_TELETHON_SESSION" if own else "TELETHON_SESSION"

    @field_validator("target_chat_ids", mode="before")
    @classmethod
    def _separated(cls, given: object) -> object:
        return tuple(filter(None, map(str.strip, given.split(",")))) if isinstance(given, str) else given

    @field_validator("target_chat_ids")
    @classmethod
    def _chats(cls, given: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(checked, given))

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.min_seconds_between_chats > self.max_seconds_between_chats:
            raise SettingsError("MIN_SECONDS_BETWEEN_CHATS is greater than MAX_SECONDS_BETWEEN_CHATS")
        return self


class SummarySettings(SettingsGroup):
    """The bot that tells an administrator how broadcasts ended; without one of the two nobody is told."""

    admin_notify_bot_token: BotToken = Field(default=SecretStr(""), description="from @BotFather")
    admin_id: int = Field(default=0, description="who is told: the id of a person or group that knows the bot")
