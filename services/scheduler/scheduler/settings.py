"""The scheduler's own settings."""

from pydantic import Field

from common.catalog import TARGET
from common.service import SettingsGroup
from scheduler.canary import Canary


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
    verify_seconds: float = Field(default=300.0, gt=0, description="between two verifications of the ledger")
    canary_target: str = Field(
        default="", pattern=rf"^$|{TARGET}", description="a private destination for canaries; empty: none are sent"
    )
    canary_minutes: float = Field(default=10.0, gt=0, description="between two canaries")
    canary_late_seconds: float = Field(default=120.0, gt=0, description="a canary that takes longer is late")

    @property
    def canary(self) -> Canary | None:
        """Where canaries go, or None."""
        if not self.canary_target:
            return None
        return Canary(self.canary_target, self.canary_minutes * 60, self.canary_late_seconds)
