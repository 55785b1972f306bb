"""What publishing needs of a platform."""

from dataclasses import dataclass
from typing import Literal, Protocol

from common.telegram.text import RichText


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. Sent again with the same `random_ids` it is still sent once.

    `address` is the target without its platform; `media` are URLs of photos, one random id each (one for a text).
    `after` is the newest message id that is known of the place from before the first try; `doubtful` says that an
    earlier try may have arrived.
    """

    address: str
    body: RichText
    media: tuple[str, ...]
    random_ids: tuple[int, ...]
    after: int = 0
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, under the ids that the platform gave it. `note` says what had to be left out."""

    message_ids: tuple[int, ...]
    url: str | None = None
    note: str | None = None


class Wait(Exception):
    """The platform asks for patience, and has not carried the call out."""

    def __init__(self, seconds: float, reason: str, scope: Literal["destination", "account"] = "destination") -> None:
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
    """The platform can't be reached, or its session can't be used: nothing was carried out."""


class SentBefore(Exception):
    """The platform says that it was sent before, and not where it is."""


class Reduced(Exception):
    """Only a part could be sent now, while an earlier try may have sent all of it."""


class Inconclusive(Exception):
    """There is more than can be looked through: it may be there or not."""


class Platform(Protocol):
    """A platform with one account. Every method raises Away, Wait, Trouble or Unanswered where that is so."""

    name: str

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent now, in a few words, or None."""

    def canonical(self, address: str) -> str:
        """Return an address in the one way in which it is stored. Raises ValueError for one that can't be."""

    def fitted(self, body: RichText, *, caption: bool) -> RichText:
        """Return a text cut to what the platform takes."""

    async def ready(self) -> None:
        """Return when its session was found well just now. Raises Away."""

    async def crowded(self, address: str) -> bool:
        """Tell whether a place is a group, for which a stricter pace holds. Raises Refused too."""

    async def send(self, message: Message) -> Sent:
        """Send once, however often it is called. Raises Refused, Doubtful, SentBefore and Reduced too."""

    async def newest(self, address: str) -> int:
        """Return the id of the newest message of a place, 0 where there is none. Raises Refused too."""

    async def find(self, message: Message, taken: frozenset[int]) -> Sent | None:
        """Look for a message whose send was not answered, among the ids after `after` that are not `taken`.

        Raises Refused and Inconclusive too.
        """

    async def delete(self, address: str, message_ids: tuple[int, ...]) -> None:
        """Delete messages for everybody; what is gone already counts as deleted. Raises Refused too."""
