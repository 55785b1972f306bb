"""A limit on the rate of requests, as OpenAI has them: https://platform.openai.com/docs/guides/rate-limits."""

import time
from dataclasses import dataclass

from sandbox.model.errors import rate_limited


@dataclass
class Limit:
    """So many requests, texts and images together, within so many seconds; then a 429 that says when to come back."""

    requests: int | None = None  # None: any number
    seconds: float = 60.0
    refused: int = 0
    _window: float = 0.0
    _taken: int = 0

    def take(self) -> None:
        """Count a request, or raise the 429 that refuses it."""
        if self.requests is None:
            return
        now = time.monotonic()
        if now >= self._window + self.seconds:
            self._window, self._taken = now, 0
        if self._taken >= self.requests:
            self.refused += 1
            raise rate_limited(self._window + self.seconds - now)
        self._taken += 1
