"""Settings of the alerts. Those of the queues' thresholds are with each queue."""

from pydantic import Field

from common.settings import SettingsGroup


class AlertSettings(SettingsGroup):
    """How often is looked for what is wrong."""

    alert_check_seconds: float = Field(
        default=10.0, gt=0, description="how often queues, beats and streams are looked at"
    )
    alert_ledger_seconds: float = Field(default=300.0, ge=0, description="how often the records are balanced; 0: never")
    alert_full_share: float = Field(
        default=0.8, gt=0, le=1, description="a stream or bucket that is so full calls for help: 0.8 is 80 %"
    )
