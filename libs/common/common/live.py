"""Live events: what happens, told to those who watch at this moment.

The stream LIVE keeps a copy of each message of the streams with `live: true` for an hour, and beside them what is told
here: what no such message says. A live event only says that there is something new to read. It may be lost, when NATS
is away or its teller dies; what is so stands in the records.
"""

import json
import logging
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from nats.aio.client import Client
from nats.errors import Error as NatsError

from common.contracts import topology
from common.events.envelope import POST, TIME
from common.tokens import Scope

log = logging.getLogger(__name__)

STREAM, PREFIX = "LIVE", "live."
SCOPE = "live-scope"  # a header: who may hear it; without it everybody with a token


class Live:
    """Tells live events."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._known = topology().live

    async def tell(self, event: str, *, post_id: UUID | str | None = None, scope: Scope = "read", **data: Any) -> None:
        """Tell an event that subjects.yaml has under `live`; `data` must be what JSON can say. Raises KeyError."""
        if event not in self._known and f"{event.partition('.')[0]}.>" not in self._known:
            raise KeyError(f"subjects.yaml has no live event {event}")
        headers = {TIME: datetime.now(UTC).isoformat(timespec="milliseconds"), SCOPE: scope}
        if post_id:
            headers[POST] = str(post_id)
        try:
            await self._client.publish(PREFIX + event, json.dumps(data, ensure_ascii=False).encode(), headers=headers)
        except (NatsError, OSError) as error:
            log.debug("live event %s: %r", event, error)
