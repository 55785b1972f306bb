"""The api's own settings."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from common.service import SettingsGroup


class NotificationSettings(SettingsGroup):
    """How notifications are kept."""

    notify_fold_seconds: float = Field(
        default=3600.0, ge=0, description="equal notifications are one, with a count, until none came for this long"
    )


class ApiSettings(SettingsGroup):
    """The REST API."""

    api_host: str = Field(default="127.0.0.1", description="where the REST API listens")
    api_port: int = Field(default=8080, ge=0, le=65535, description="0: any free port")
    api_requests_per_minute: int = Field(default=600, ge=0, description="per token and replica; 0: no limit")


Waits = Annotated[
    tuple[Annotated[float, Field(gt=0)], ...],
    NoDecode,
    BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value),
]


class WebhookSettings(SettingsGroup):
    """How webhooks are told."""

    webhook_retry_seconds: Waits = Field(
        default=(5, 60, 300, 1800, 7200, 18000, 36000, 86400),
        description="the waits after failed attempts, separated by commas; after the last one a delivery has failed",
    )
    webhook_allow_private: bool = Field(default=False, description="tell addresses in private networks too")
