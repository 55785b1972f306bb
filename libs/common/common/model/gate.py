"""A gate before an endpoint that asked for a pause, so that it is asked again by one, not by everyone."""

import asyncio
import random
import time

from common.failures import Retry

PATIENCE_SECONDS = 20.0
JITTER = 0.1


class Gate:
    """Closed for a while where the endpoint said so.

    Who comes then waits here, if it is not for long: the rest of the queue stays where it is, in the stream. Sending
    everyone away instead would turn a limit on the rate into a thousand deliveries of each message, which is where
    JetStream gives up.
    """

    def __init__(self) -> None:
        self._opens_at = 0.0
        self._reason = ""

    def close(self, seconds: float, reason: str) -> None:
        """Stay closed for `seconds` from now, unless it is closed for longer already."""
        until = time.monotonic() + seconds
        if until > self._opens_at:
            self._opens_at, self._reason = until, reason

    @property
    def closed(self) -> bool:
        """Whether it is closed now."""
        return time.monotonic() < self._opens_at

    async def passed(self, patience: float | None = None) -> None:
        """Return when it is open. Raises Retry, without a notice of its own, where that takes too long to wait for.

        `patience` is in seconds, PATIENCE_SECONDS where it is not given.
        """
        patient_until = time.monotonic() + (PATIENCE_SECONDS if patience is None else patience)
        while (left := self._opens_at - time.monotonic()) > 0:
            pause = left * (1 + random.uniform(0, JITTER))
            if self._opens_at > patient_until:
                raise Retry(pause, self._reason)
            await asyncio.sleep(pause)
