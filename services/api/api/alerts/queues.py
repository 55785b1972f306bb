"""Whether queues fail, or stand still without anybody having paused them."""

from collections.abc import Mapping
from typing import Any

from nats.js import JetStreamContext

from api.alerts.ports import Finding
from api.statements import statement
from common.messaging.queue import QueueSettings
from common.postgres import Database
from common.queues.records import QueueRecords
from common.queues.settings import Layers, by_queue, layers
from common.queues.standing import QueueStanding, standing

ERRORS_SHOWN = 5
ERROR_LENGTH = 300  # characters


class QueueCheck:
    """Compares the failures of each queue, and the age of its oldest message, with the thresholds of its settings."""

    kinds = ("queue_failures", "queue_oldest")

    def __init__(self, database: Database, stream: JetStreamContext, every_seconds: float) -> None:
        self.every_seconds = every_seconds
        self._database = database
        self._stream = stream
        self._layers: dict[str, Layers] = {}

    async def find(self) -> list[Finding]:
        """Return queues that fail, or whose oldest message is too old."""
        queues = await standing(self._database, self._stream)
        changes = by_queue(await QueueRecords(self._database).changes())
        thresholds = {each.queue: self._thresholds(each, changes.get(each.queue, {})) for each in queues}
        oldest = [finding for each in queues if (finding := _too_old(each, thresholds[each.queue]))]
        return [*await self._failures(thresholds), *oldest]

    def _thresholds(self, queue: QueueStanding, changes: Mapping[str, object]) -> QueueSettings:
        """Return what holds for a queue: as its replicas tell, or where none lives as this environment says."""
        for replica in queue.replicas:
            told = {
                name: each["value"] for name, each in replica.settings.items() if name in QueueSettings.model_fields
            }
            return QueueSettings.model_validate(told)
        if queue.queue not in self._layers:
            self._layers[queue.queue] = layers(queue.queue)
        return self._layers[queue.queue].under(changes)[0]

    async def _failures(self, thresholds: Mapping[str, QueueSettings]) -> list[Finding]:
        watched = {queue: settings for queue, settings in thresholds.items() if settings.alert_failures}
        windows = [settings.alert_window_seconds for settings in watched.values()]
        least = [settings.alert_failures for settings in watched.values()]
        rows = await self._database.fetch(statement("alerts", "failures"), list(watched), windows, least)
        return [await self._failing(dict(row), watched[row["queue"]]) for row in rows]

    async def _failing(self, row: Mapping[str, Any], settings: QueueSettings) -> Finding:
        queue = row["queue"]
        groups = await self._database.fetch(
            statement("alerts", "errors"), queue, settings.alert_window_seconds, ERRORS_SHOWN
        )
        lines = [f"{each['count']:,} × {each['error'][:ERROR_LENGTH]} ({each['fingerprint']})" for each in groups]
        detail = [
            f"{row['recent']:,} within {settings.alert_window_seconds:g} s; the limit is {settings.alert_failures}."
        ]
        return Finding(
            kind="queue_failures",
            about=queue,
            severity="error",
            title=f"{queue}: {row['total']:,} jobs have failed",
            detail="\n".join([*detail, *lines, f"postroom dead list --queue {queue}"]),
            count=row["total"],
            since=row["since"],
        )


def _too_old(queue: QueueStanding, settings: QueueSettings) -> Finding | None:
    limit = settings.alert_oldest_seconds
    if not limit or queue.pause or queue.oldest_seconds is None or queue.oldest_seconds < limit:
        return None
    running = "" if queue.replicas else " No replica of its service lives."
    return Finding(
        kind="queue_oldest",
        about=queue.queue,
        severity="warning",
        title=f"{queue.queue}: a message has waited for {queue.oldest_seconds / 60:.0f} min",
        detail=f"The limit is {limit:g} s. {queue.waiting:,} wait, {queue.in_flight:,} are in flight; "
        f"{queue.rate:.2f} end per second.{running}\npostroom queues show {queue.queue}",
    )
