"""The last requests that the model endpoint served, for tests and curiosity."""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ServedRequest:
    """One request. `source` is the text that was rewritten and `answer` the first choice; `seconds` the time taken.

    Of a request for pictures, `source` is the prompt and `answer` says what was drawn.
    """

    id: str
    at: str
    endpoint: str
    model: str
    status: int
    fault: str | None
    source: str
    answer: str | None
    prompt_tokens: int
    completion_tokens: int
    seconds: float


class Journal:
    """Keeps the newest `capacity` requests in memory, and counts all of them."""

    def __init__(self, capacity: int = 500) -> None:
        self._newest: deque[ServedRequest] = deque(maxlen=capacity)
        self.total = 0

    def __iter__(self) -> Iterator[ServedRequest]:
        """Iterate from the newest to the oldest."""
        return reversed(self._newest)

    def add(self, served: ServedRequest) -> None:
        """Remember one request."""
        self.total += 1
        self._newest.append(served)
