"""What passes through the measured hop: its two events, its streams and durables, its result table."""

import time
from collections.abc import Iterator
from typing import ClassVar
from uuid import UUID

from common.contracts import Topology
from common.events import Emitted, Event, derive, emitted

TEXT = "x" * 200
SLOW_EVERY = 20  # in a slow run, one handler in so many …
SLOW_SECONDS = 0.5  # … takes this long

CONTRACTS = Topology.model_validate(
    {
        "streams": {
            "BENCH": {"subjects": ["bench.>"], "retention": "interest", "max_bytes": 2**30},
            "LOGS": {"subjects": ["logs.>"], "retention": "limits", "max_bytes": 2**30},
        },
        "subjects": {
            "bench.arrived": {
                "owner": "bench",
                "stream": "BENCH",
                "producers": ["bench"],
                "consumers": [{"durable": "worker", "service": "bench", "queue": "bench_queue"}],
            },
            "bench.handled": {
                "owner": "bench",
                "stream": "BENCH",
                "producers": ["bench"],
                # Nobody reads it here, but it is there, so that the server stores what the hop emits.
                "consumers": [{"durable": "next", "service": "elsewhere", "queue": "next_queue"}],
            },
        },
    }
)
TABLE = "CREATE TABLE results (event_id text, text text)"
RESULT = "INSERT INTO results SELECT * FROM unnest($1::text[], $2::text[])"


class Arrived(Event):
    """What the hop consumes. `sent_at` is in seconds since the epoch."""

    subject: ClassVar[str] = "bench.arrived"

    post_id: UUID
    number: int
    text: str
    sent_at: float

    @property
    def slow(self) -> bool:
        """Whether its handler takes long in a slow run."""
        return self.number % SLOW_EVERY == 0


class Handled(Event):
    """What the hop emits."""

    subject: ClassVar[str] = "bench.handled"

    post_id: UUID
    number: int
    text: str
    sent_at: float


def arrivals(count: int) -> Iterator[Emitted]:
    """Yield events as an earlier service would have put them into the stream, with the headers of a trace."""
    for number in range(count):
        post_id = derive("bench", number)
        event = Arrived(post_id=post_id, number=number, text=TEXT, sent_at=time.time())
        trace = {"traceparent": f"00-{post_id.hex}-{number + 1:016x}-01"}
        yield emitted(event, event_id=f"bench-{number}", consumer="bench", cause_id="bench", trace=trace)


def follow(event: Arrived) -> Handled:
    """Return the event that answers an arrival."""
    return Handled(post_id=event.post_id, number=event.number, text=event.text, sent_at=event.sent_at)
