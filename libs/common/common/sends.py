"""How a send to a platform may end, besides well. Each says what is known of it, and so what to do next."""

from typing import Literal

Scope = Literal["destination", "account"]


class Wait(Exception):
    """The platform asks for patience, and has not carried the call out."""

    def __init__(self, seconds: float, reason: str, scope: Scope = "destination") -> None:
        super().__init__(reason)
        self.seconds = seconds
        self.scope = scope


class Refused(Exception):
    """The platform refuses for good: this text, or this account at this place."""


class Trouble(Exception):
    """The platform answered with an error that may pass."""


class Doubtful(Trouble):
    """It was the send itself that was answered so, or the answer names no message: it may have been carried out."""


class Unanswered(Exception):
    """It may have been carried out or not: there was no answer."""


class Away(Exception):
    """The platform can't be reached, its session can't be used, or what is to be sent can't be read at the moment.

    Nothing was carried out.
    """


class SentBefore(Exception):
    """The platform says that it was sent before, and not where it is."""


class Reduced(Exception):
    """Only a part could be sent now, while an earlier try may have sent all of it."""


class Inconclusive(Exception):
    """There is more than can be looked through: it may be there or not."""


class NotSent(Exception):
    """It is certain that it was not sent, or not to its end: it may be sent again, and goes on where it stopped."""
