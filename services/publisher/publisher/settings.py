"""The publisher's own settings."""

from typing import Literal

from pydantic import Field, SecretStr

from common.limits import Pace
from common.planning.images import PlatformImages
from common.service import SettingsGroup
from common.telegram.settings import BotToken
from publisher.accounts import Credentials, accounts_of, tokens_of

ADDRESS = r"^https?://\S+$"


class PublisherSettings(SettingsGroup):
    """How the publisher publishes."""

    publish_pacing: Literal["real", "off"] = Field(default="real", description="off: as fast as the platform answers")
    unknown_after_seconds: float = Field(
        default=300.0, gt=0, description="a send without an answer is repeated for so long, then looked for"
    )
    publish_link_preview: bool = Field(default=True, description="show a preview of the first link")
    publish_batch: int = Field(default=25, ge=1, le=200, description="how many a lane takes on at once, without pacing")
    publish_allow_private_media: bool = Field(default=False, description="photos by their URL in private networks")

    @property
    def batch(self) -> int:
        """How many a lane takes on at once: with pacing one, as what is taken on should be sent soon."""
        return 1 if self.publish_pacing == "real" else self.publish_batch


class InstagramSettings(PlatformImages):
    """The accounts on Instagram, and their pace (https://developers.facebook.com/docs/instagram-platform/content-publishing)."""

    instagram_base_url: str = Field(default="https://graph.instagram.com/v23.0", pattern=ADDRESS)
    instagram_accounts: SecretStr | None = Field(
        default=None, description='JSON: {"account": {"user_id": "…", "access_token": "…"}}'
    )
    instagram_posts_per_hour: float = Field(default=25, gt=0, description="per account that has no pace of its own")

    @property
    def accounts(self) -> dict[str, Credentials]:
        """The credentials by account. Raises SettingsError."""
        return accounts_of("instagram", self.instagram_accounts)

    def secrets(self) -> list[str]:
        """Every token too."""
        return [*super().secrets(), *tokens_of(self.accounts)]


class XSettings(SettingsGroup):
    """The accounts on X, and their pace (https://docs.x.com/x-api/fundamentals/rate-limits)."""

    x_base_url: str = Field(default="https://api.x.com", pattern=ADDRESS)
    x_accounts: SecretStr | None = Field(
        default=None,
        description='JSON: {"account": {"user_id": "…", "access_token": "…", "refresh_token": "…", "client_id": "…"}}',
    )
    x_posts_per_hour: float = Field(default=300, gt=0, description="per account that has no pace of its own")

    @property
    def accounts(self) -> dict[str, Credentials]:
        """The credentials by account. Raises SettingsError."""
        return accounts_of("x", self.x_accounts)

    def secrets(self) -> list[str]:
        """Every token too."""
        return [*super().secrets(), *tokens_of(self.accounts)]


class TelegramPublisherSettings(SettingsGroup):
    """The bot that publishes on Telegram, and its paces (https://core.telegram.org/bots/faq#my-bot-is-hitting-limits)."""

    telegram_bot_token: BotToken = Field(description="from @BotFather")
    telegram_posts_per_hour: float = Field(default=30, gt=0, description="per destination that has no pace of its own")
    telegram_chat_messages_per_second: float = Field(default=1, gt=0)
    telegram_group_messages_per_minute: float = Field(default=20, gt=0)
    telegram_messages_per_second: float = Field(default=30, gt=0, description="overall")

    @property
    def per_chat(self) -> Pace:
        """The pace of any chat."""
        return Pace(1 / self.telegram_chat_messages_per_second)

    @property
    def per_group(self) -> Pace:
        """The pace of a group."""
        return Pace(60 / self.telegram_group_messages_per_minute)

    @property
    def overall(self) -> Pace:
        """The pace of the account."""
        return Pace(1 / self.telegram_messages_per_second)
