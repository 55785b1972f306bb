"""What publishing needs of a platform."""

from dataclasses import dataclass
from typing import Protocol

from common.media.items import MediaItem
from common.telegram.text import RichText


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. Sent again with the same `random_ids` it is still sent once.

    `address` is the target without its platform; `media` have one random id each (one for a text).
    `after` is the newest message id that is known of the place from before the first try; `doubtful` says that an
    earlier try may have arrived.
    """

    address: str
    body: RichText
    media: tuple[MediaItem, ...]
    random_ids: tuple[int, ...]
    after: int = 0
    doubtful: bool = False


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, under the ids that the platform gave it. `note` says what had to be left out."""

    message_ids: tuple[int, ...]
    url: str | None = None
    note: str | None = None


class Platform(Protocol):
    """A platform with one account.

    Every method raises Away, Wait, Trouble or Unanswered of `common.sends` where that is so.
    """

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
