"""How long what is kept."""

from pathlib import Path

from pydantic import Field

from common.settings import SettingsGroup

LONGEST_MONTH_DAYS = 32  # a budget of a month adds up its calls


class RetentionSettings(SettingsGroup):
    """`RETENTION_<KIND>_DAYS`; 0 keeps it for ever."""

    retention_jobs_days: float = Field(default=90.0, ge=0, le=36500, description="jobs that succeeded; 0: for ever")
    retention_attempts_days: float = Field(
        default=90.0, ge=0, le=36500, description="runs of jobs that did not simply succeed"
    )
    retention_payloads_days: float = Field(
        default=14.0, ge=0, le=36500, description="the messages that jobs were made of"
    )
    retention_notifications_days: float = Field(default=90.0, ge=0, le=36500, description="what people were told")
    retention_alerts_days: float = Field(default=90.0, ge=0, le=36500, description="alerts that are over")
    retention_model_calls_days: float = Field(
        default=400.0, ge=LONGEST_MONTH_DAYS, le=36500, description="calls to models; budgets need a month of them"
    )
    retention_operations_days: float = Field(
        default=90.0, ge=0, le=36500, description="operations on many that have ended"
    )
    retention_verifications_days: float = Field(default=30.0, ge=0, le=36500, description="what verifications found")
    retention_canaries_days: float = Field(default=30.0, ge=0, le=36500, description="how canaries went")
    retention_trials_days: float = Field(default=90.0, ge=0, le=36500, description="trials of profiles")
    retention_audit_days: float = Field(default=0.0, ge=0, le=36500, description="who did what; 0: for ever")
    retention_archive: Path | None = Field(
        default=None, description="a directory where what is forgotten is kept as JSONL; none: it is gone"
    )

    def days(self, kind: str) -> float:
        """Return after how many days a kind is forgotten; 0: never.

        Jobs are kept as long as messages: one that is sent again comes to all consumers, who know by their jobs that
        they had it.
        """
        days = float(getattr(self, f"retention_{kind}_days"))
        if kind == "jobs" and days:
            return max(days, self.retention_payloads_days) if self.retention_payloads_days else 0.0
        return days
