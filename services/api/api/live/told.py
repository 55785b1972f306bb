"""What those who watch are told, and how it reads on the wire."""

import json
from dataclasses import dataclass
from typing import Any

from nats.aio.msg import Msg

from common.events.envelope import POST, TIME
from common.live import PREFIX, SCOPE
from common.tokens import SCOPES, Scope

POSITION = "position"  # not an event: everything up to this id has been told


@dataclass(frozen=True, slots=True)
class Told:
    """One event. `id` is its place in the stream LIVE; what stands in no stream has none."""

    type: str
    text: str  # JSON, in one line
    id: int | None = None
    post_id: str | None = None
    scope: Scope = "read"

    def sse(self) -> bytes:
        """Return it as a block of text/event-stream, https://html.spec.whatwg.org/multipage/server-sent-events.html

        A position has no data, so that a browser only notes its id.
        """
        place = f"id: {self.id}\n" if self.id is not None else ""
        if self.type == POSITION:
            return f":\n{place}\n".encode()
        return f"{place}event: {self.type}\ndata: {self.text}\n\n".encode()


def told(kind: str, data: Any = None, *, place: int | None = None) -> Told:
    """Return an event of our own: no message of the stream."""
    fields = {"id": place, "type": kind, "data": data}
    return Told(kind, _json({name: value for name, value in fields.items() if value is not None}), place)


def of_message(message: Msg) -> Told:
    """Return a message of the stream LIVE, as a direct get answers it."""
    headers = message.headers or {}
    place, kind = int(headers["Nats-Sequence"]), headers["Nats-Subject"].removeprefix(PREFIX)
    try:
        data = json.loads(message.data)
    except ValueError:  # typed by hand: who works on it says that it can't be read
        data = None
    post_id = headers.get(POST) or (data.get("post_id") if isinstance(data, dict) else None)
    at = headers.get(TIME) or headers["Nats-Time-Stamp"]
    scope: Scope = next((scope for scope in SCOPES if scope == headers.get(SCOPE)), "read")
    text = _json({"id": place, "type": kind, "at": at, "post_id": post_id, "data": data})
    return Told(kind, text, place, str(post_id) if post_id else None, scope)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str)
