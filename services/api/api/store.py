"""The api's records."""

from common.events import NotifyRequested
from common.messaging import Job
from common.postgres import Queries
from common.telegram.utf16 import storable


class Notifications:
    """What people are told. Equal fingerprints are one row, until none came for `fold_seconds`."""

    def __init__(self, fold_seconds: float) -> None:
        self._fold_seconds = fold_seconds
        self._sql = Queries.load(__package__, "api.sql")

    def add(self, job: Job, event: NotifyRequested) -> None:
        """Write a notification with the job's result."""
        job.write(
            self._sql["add_notification"],
            storable(event.fingerprint),
            event.kind,
            event.severity,
            storable(event.title),
            storable(event.detail),
            event.post_id,
            self._fold_seconds,
            job.message.metadata.sequence.stream,
        )
