"""The api's own settings."""

from pydantic import Field

from common.service import SettingsGroup


class NotificationSettings(SettingsGroup):
    """How notifications are kept."""

    notify_fold_seconds: float = Field(
        default=3600.0, ge=0, description="equal notifications are one, with a count, until none came for this long"
    )
