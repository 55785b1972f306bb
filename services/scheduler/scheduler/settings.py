"""The scheduler's own settings."""

from pydantic import Field

from common.service import SettingsGroup


class SchedulerSettings(SettingsGroup):
    """Clocks of the scheduler."""

    disable_workers: bool = Field(default=False, description="start with the clocks switched off")
    catalog_poll_seconds: float = Field(default=2.0, gt=0, description="how soon a new or changed source is noticed")
