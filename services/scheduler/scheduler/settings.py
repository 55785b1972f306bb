"""The scheduler's own settings."""

from pydantic import Field

from common.service import SettingsGroup


class SchedulerSettings(SettingsGroup):
    """Clocks of the scheduler."""

    disable_workers: bool = Field(default=False, description="start with the clocks switched off")
    catalog_poll_seconds: float = Field(default=2.0, gt=0, description="how soon a new or changed source is noticed")
    scheduled_check_seconds: float = Field(
        default=60.0, gt=0, description="how often scheduled posts are looked at, beside each time that one is due"
    )
    rules_check_seconds: float = Field(
        default=300.0, gt=0, description="how often auto-posting rules are looked at, beside each time that one is due"
    )
    publish_retry_interval_seconds: float = Field(
        default=60.0, gt=0, description="after a scheduled post was not published; twice as long after each later try"
    )
