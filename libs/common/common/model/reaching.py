"""Whether the endpoint of the models can be reached, as the calls to it tell."""

FAILURES = 3  # in a row: a single one may be an accident
# Of the outcomes of calls, those in which the endpoint gave an answer that says something of the request.
ANSWERED = ("answered", "refused", "RateLimitError", "BadRequestError", "UnprocessableEntityError", "CancelledError")


class Reaching:
    """Counts the calls in a row that came to nothing."""

    def __init__(self) -> None:
        self._failed = 0
        self._outcome = ""

    def ended(self, outcome: str) -> None:
        """A call has ended so."""
        self._failed, self._outcome = (0, "") if outcome in ANSWERED else (self._failed + 1, outcome)

    async def problem(self) -> str | None:
        """Say for the health endpoint what is wrong, or None."""
        if self._failed < FAILURES:
            return None
        return f"the last {self._failed} calls came to nothing: {self._outcome}"
