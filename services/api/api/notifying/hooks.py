"""The webhook channel: each notification as an event, for those webhooks that want to know."""

from collections.abc import Iterator, Sequence
from typing import Any

from api.notifying.message import REDACT
from api.notifying.ports import Notice, NotTold, Severity
from api.statements import statement
from api.webhooks.events import Told, told
from common.postgres import UNREACHABLE, Database


class WebhookChannel:
    """Makes the deliveries of webhooks, which have repetitions of their own."""

    name = "webhooks"
    gathers = False
    least: Severity = "info"

    def __init__(self, database: Database) -> None:
        self._database = database

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Announce each notification. What was announced already is not announced again."""
        rows = [row for notice in notices for row in _announcements(notice)]
        try:
            await self._database.execute(
                statement("webhooks", "announce"), *(list(column) for column in zip(*rows, strict=True))
            )
        except UNREACHABLE as error:
            raise NotTold(f"{type(error).__name__}: {error}") from error


def _announcements(notice: Notice) -> Iterator[tuple[Told, str, str]]:
    events: list[Told] = ["notification"]
    if notice.severity == "error":
        events.append("notification.error")
    for event in events:
        yield event, f"{event}/{notice.id}/{notice.tellings}", told(event, _data(notice))


def _data(notice: Notice) -> dict[str, Any]:
    return {
        "id": str(notice.id),
        "kind": notice.kind,
        "severity": notice.severity,
        "title": REDACT.clean(notice.title),
        "detail": REDACT.clean(notice.detail),
        "fingerprint": notice.fingerprint,
        "post_id": str(notice.post_id) if notice.post_id else None,
        "count": notice.count,
        "first_at": notice.first_at.isoformat(),
        "last_at": notice.last_at.isoformat(),
        "update": notice.tellings > 0,
    }
