"""How often a token may call: a bucket of one minute's requests, which refills steadily.

The buckets are in this process: with several replicas each lets as many through.
"""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

from api.http.problems import Problem

FORGET_AFTER = 10_000  # buckets; by then those that are full again are forgotten


@dataclass(slots=True)
class _Bucket:
    left: float
    at: float


class Rate:
    """The buckets of all tokens; `per_minute` 0: no limit."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._size = per_minute
        self._clock = clock
        self._buckets: dict[UUID, _Bucket] = {}

    def take(self, token: UUID) -> None:
        """Let one request pass, or raise a problem that says when the next one may."""
        if not self._size:
            return
        now = self._clock()
        bucket = self._buckets.setdefault(token, _Bucket(self._size, now))
        bucket.left = min(self._size, bucket.left + (now - bucket.at) * self._size / 60)
        bucket.at = now
        if bucket.left < 1:
            wait = math.ceil((1 - bucket.left) * 60 / self._size)
            detail = f"this token may make {self._size} requests a minute"
            raise Problem("too-many-requests", detail, headers={"Retry-After": str(wait)})
        bucket.left -= 1
        if len(self._buckets) > FORGET_AFTER:
            self._buckets = {key: each for key, each in self._buckets.items() if now - each.at < 60}
