"""Keeps notifications, and what each channel is to tell of them."""

from api.notifying.ports import Audience
from api.settings import NotificationSettings
from api.statements import statement
from common.events import NotifyRequested
from common.messaging import Job
from common.telegram.utf16 import storable


class Notifications:
    """What people are told. Equal fingerprints are one row, until none came for NOTIFY_FOLD_SECONDS."""

    def __init__(self, settings: NotificationSettings, audience: Audience) -> None:
        self._fold_seconds = settings.notify_fold_seconds
        self._gather_seconds = settings.notify_gather_seconds
        self._update_seconds = settings.notify_update_seconds
        self._audience = audience

    def add(self, job: Job, event: NotifyRequested) -> None:
        """Write a notification with the job's result, for the channels to tell of it."""
        job.write(
            statement("notifications", "add_notification"),
            storable(event.fingerprint),
            event.kind,
            event.severity,
            storable(event.title),
            storable(event.detail),
            event.post_id,
            self._fold_seconds,
            job.message.metadata.sequence.stream,
            ",".join(self._audience.names(event.severity, event.fingerprint)),
            self._gather_seconds,
            self._update_seconds,
        )
