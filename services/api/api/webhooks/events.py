"""What webhooks can be told, and how it reads on the wire."""

import json
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

from api.statements import statement
from common.messaging import Job

Told: TypeAlias = Literal[
    "publish.result",
    "broadcast.result",
    "content.created",
    "notification",
    "notification.error",
    "alert.firing",
    "alert.resolved",
]


def told(event: str, data: dict[str, Any]) -> str:
    """Return the body of a message, as https://www.standardwebhooks.com has it."""
    moment = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return json.dumps({"type": event, "timestamp": moment, "data": data}, ensure_ascii=False)


def announce(job: Job, event: Told, data: dict[str, Any]) -> None:
    """Tell all webhooks that want to know, with the job's result. A redelivered event is told once."""
    job.write(statement("webhooks", "announce"), event, job.event_id, told(event, data))
