"""The api's own settings."""

from typing import Annotated

from pydantic import BeforeValidator, Field
from pydantic_settings import NoDecode

from common.service import SettingsGroup

Waits = Annotated[
    tuple[Annotated[float, Field(gt=0)], ...],
    NoDecode,
    BeforeValidator(lambda value: value.split(",") if isinstance(value, str) else value),
]


class NotificationSettings(SettingsGroup):
    """How notifications are kept and told."""

    notify_fold_seconds: float = Field(
        default=3600.0, ge=0, description="equal notifications are one, with a count, until none came for this long"
    )
    notify_gather_seconds: float = Field(
        default=10.0, gt=0, description="equal ones are told once they were quiet for this long, or after six times it"
    )
    notify_update_seconds: float = Field(
        default=600.0, gt=0, description="the first update of what was told; each further one takes six times as long"
    )
    notify_retry_seconds: Waits = Field(
        default=(10, 60, 300, 1800, 7200, 21600),
        description="the waits after a channel did not take a message; after the last one it is given up",
    )


class ApiSettings(SettingsGroup):
    """The REST API."""

    api_host: str = Field(default="127.0.0.1", description="where the REST API listens")
    api_port: int = Field(default=8080, ge=0, le=65535, description="0: any free port")
    api_requests_per_minute: int = Field(default=600, ge=0, description="per token and replica; 0: no limit")


class PanelSettings(SettingsGroup):
    """The panel."""

    panel_sandbox: str = Field(
        default="", description="what is made up on this machine, as the panel says it; `all`: nothing leaves it"
    )


class LiveSettings(SettingsGroup):
    """Live events."""

    live_connections: int = Field(default=1000, ge=0, description="clients that may watch, per replica")
    live_connections_per_token: int = Field(default=20, ge=1, description="of these, per token")
    live_waiting_events: int = Field(
        default=500,
        ge=256,
        description="a client for which more of them wait is dropped; it may come back with its last id",
    )
    live_heartbeat_seconds: float = Field(default=15.0, gt=0, description="how often a silent connection gives a sign")


class WebhookSettings(SettingsGroup):
    """How webhooks are told."""

    webhook_retry_seconds: Waits = Field(
        default=(5, 60, 300, 1800, 7200, 18000, 36000, 86400),
        description="the waits after failed attempts, separated by commas; after the last one a delivery has failed",
    )
    webhook_allow_private: bool = Field(default=False, description="tell addresses in private networks too")
