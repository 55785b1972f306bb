"""What broadcasting needs of Telegram."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from common.sends import Refused, Wait
from userbot.task import Material

Flag = Literal["forbidden", "banned", "private", "migrated", "missing"]


@dataclass(frozen=True, slots=True)
class Place:
    """What the address of a chat stands for; `id` is the marked one."""

    id: int
    title: str = ""


class SlowMode(Wait):
    """This chat asks for patience; others may be sent to meanwhile."""


class SpamBlocked(Exception):
    """Telegram has blocked the account for spam, for a time that it does not tell."""


class ChatRefused(Refused):
    """The chat does not let us write, for a reason that people should see in its record."""

    def __init__(self, reason: str, flag: Flag) -> None:
        super().__init__(reason)
        self.flag = flag


class ContentRefused(Refused):
    """What is to be sent is refused, and would be at every chat."""


class ContentMissing(Exception):
    """What is to be sent can't be had; nothing was sent."""


class Moved(Exception):
    """The group became another one, to which it is to be sent."""

    def __init__(self, place: Place) -> None:
        super().__init__(f"it became {place.id}")
        self.place = place


class Platform(Protocol):
    """Telegram with one account.

    Every method but `knows` raises Away, Wait, Trouble or Unanswered of common.sends where that is so, and SpamBlocked.
    """

    @property
    def problem(self) -> str | None:
        """Why nothing can be sent now, in a few words, or None."""

    async def ready(self) -> None:
        """Return when its session was found well just now."""

    async def recall(self, addresses: Sequence[str]) -> None:
        """Read what is known of all these addresses at once."""

    def knows(self, address: str) -> bool:
        """Tell whether `place` can answer without asking Telegram."""

    async def place(self, address: str) -> Place:
        """Return what an address stands for. Raises Refused too."""

    async def send(self, address: str, material: Material, random_ids: Sequence[int]) -> tuple[int, ...]:
        """Send once, however often it is called, and return the ids of the messages.

        Raises Refused in its kinds, ContentMissing, SlowMode, Moved, Doubtful and SentBefore too.
        """

    async def find(
        self, address: str, material: Material, since: datetime, taken: frozenset[int]
    ) -> tuple[int, ...] | None:
        """Look in a chat's history for our own messages with this content since then, that are not `taken`.

        Raises Refused and Inconclusive too.
        """


class NotTold(Exception):
    """Nobody can be told, now or later: the bot or the recipient is wrong."""


class Teller(Protocol):
    """Somebody who tells an administrator."""

    async def tell(self, text: str, once: str) -> None:
        """Send a text, one time for each value of `once`. Raises NotTold, and failures.Retry."""
