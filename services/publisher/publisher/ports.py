"""What publishing needs of a platform."""

from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol, Self

from common.media.items import MediaItem
from common.telegram.text import RichText

LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the send of a publication came, on a platform whose sends have no ids of ours.

    `container` is made and may be published, or was. `posts` are those of a thread that were sent. `trying`: what comes
    next may have been sent; `answered`: the platform said that this went wrong.
    """

    container: str | None = None
    posts: tuple[int, ...] = ()
    trying: bool = False
    answered: bool = False

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what `to_json` gave."""
        known = {name: value[name] for name in cls.__slots__ if name in value}
        return cls(**{**known, "posts": tuple(value.get("posts", ()))})

    def to_json(self) -> dict[str, Any]:
        """Return it for a record: what says nothing is left out."""
        return {name: value for name, value in asdict(self).items() if value}


async def _nowhere(_progress: Progress) -> None:
    """Keep nothing."""


async def _nothing() -> frozenset[int]:
    return frozenset()


@dataclass(slots=True)
class Record:
    """The progress of one publication; `write` stores it, so that it survives us.

    `taken` gives the message ids that belong to other publications.
    """

    progress: Progress = field(default_factory=Progress)
    write: Callable[[Progress], Awaitable[None]] = _nowhere
    taken: Callable[[], Awaitable[frozenset[int]]] = _nothing

    async def keep(self, progress: Progress) -> None:
        """Replace it."""
        if progress != self.progress:
            await self.write(progress)
            self.progress = progress


@dataclass(frozen=True, slots=True)
class Message:
    """What is to be sent. Sent again with the same `random_ids` it is still sent once.

    `address` is the target without its platform; `media` have one random id each (one for a text).
    `after` is the newest message id that is known of the place from before the first try, which was at `since`;
    `doubtful` says that an earlier try may have arrived, `record` how far it came.
    """

    address: str
    body: RichText
    media: tuple[MediaItem, ...]
    random_ids: tuple[int, ...]
    after: int = 0
    doubtful: bool = False
    since: datetime = LONG_AGO
    record: Record = field(default_factory=Record)


@dataclass(frozen=True, slots=True)
class Sent:
    """What was sent, under the ids that the platform gave it. `note` says what had to be left out."""

    message_ids: tuple[int, ...]
    url: str | None = None
    note: str | None = None


class Platform(Protocol):
    """A platform.

    Every method raises Away, Wait, Trouble or Unanswered of `common.sends` where that is so.
    """

    name: str
    has_images_made: bool  # for a post that shows none, before it is published

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

        Raises Refused and Inconclusive too, and NotSent where it is certain that it was not sent, or not to its end.
        """

    async def delete(self, address: str, message_ids: tuple[int, ...]) -> None:
        """Delete messages for everybody; what is gone already counts as deleted. Raises Refused too."""
