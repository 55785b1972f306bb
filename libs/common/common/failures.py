"""Failures say what happens next: a handler raises one of these, and delivery does it.

Any other exception counts as an attempt: it is tried again after a back-off, and after the queue's `max_attempts` the
message goes to the dead letters.
"""

from common.events import NotifyRequested


class Retry(Exception):
    """Not now (a flood wait, a rate limit): the message comes back after `after` seconds.

    Not counted as an attempt; bounded by the queue's deadline, after which the message goes to the dead letters, except
    where it is not `bounded`: what waits for a time that is known, such as the end of a budget's period, waits for it.
    `notice` is what people are told of it, once per message.
    """

    def __init__(
        self, after: float, reason: str, notice: NotifyRequested | None = None, *, bounded: bool = True
    ) -> None:
        super().__init__(reason)
        self.after = max(0.0, after)
        self.notice = notice
        self.bounded = bounded


class Reject(Exception):
    """Never: the message goes to the dead letters at once, with the reason."""


class Skip(Exception):
    """Nothing to do: the job ends as cancelled, with the reason."""
