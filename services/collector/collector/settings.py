"""The collector's own settings."""

from pydantic import Field

from common.messaging.queue import QueueSettings
from common.service import SettingsGroup

# A call to Telegram may take 60 seconds; what ends first is the call, whose reason says more.
QUEUE_DEFAULTS = QueueSettings(concurrency=8, max_attempts=5, timeout_seconds=120.0)

# A run has the time for an album of large files; what it doesn't get done the next one does.
MEDIA_QUEUE_DEFAULTS = QueueSettings(concurrency=4, max_attempts=5, timeout_seconds=600.0)

# Somebody waits for the answer: there is one attempt, and a look ends by itself before its time is up.
CHECK_QUEUE_DEFAULTS = QueueSettings(concurrency=8, max_attempts=1, timeout_seconds=30.0, deadline_seconds=60.0)


class CollectorSettings(SettingsGroup):
    """How much is read at once, and how far back."""

    collect_batch: int = Field(default=500, ge=20, le=5000, description="Telegram messages per job")
    collect_backfill: int = Field(
        default=100, ge=0, description="newest messages that are read of a new Telegram source; 0: all of them"
    )
    collect_debounce_seconds: float = Field(
        default=0.3, ge=0.0, description="live messages of a source within that time are one request"
    )
    catalog_poll_seconds: float = Field(default=2.0, gt=0, description="how often new sources are looked for")
    media_max_bytes: int = Field(
        default=20 * 2**20, gt=0, description="a photo or file of a post that is larger is left out"
    )
