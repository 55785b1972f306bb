"""A task that was taken, and how the work on it may be broken off."""

import time
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from common.events import derive
from common.media.items import MediaItem
from common.telegram.text import RichText

Outcome = Literal["sending", "sent", "retry", "refused", "skipped", "unknown"]
FINAL = ("sent", "refused", "skipped", "unknown")


class BrokenOff(Exception):
    """The work on a task stops before its end; the message says why."""


class Parked(BrokenOff):
    """Something stands in the way that is no fault of the task: it goes back, and this take does not count."""


class AccountStopped(Parked):
    """Telegram has blocked the account for spam: nothing more is sent until a person says so."""


class Paused(Parked):
    """A person has paused it, or everything, or its account is stopped: that is no error."""


class Cancelled(BrokenOff):
    """A person has cancelled it."""


class Failed(BrokenOff):
    """It can't be carried out, now or later."""


class Lost(BrokenOff):
    """Somebody else has the task now, or nobody."""


@dataclass(frozen=True, slots=True)
class Forward:
    """Published messages that are to be forwarded."""

    chat: str
    message_ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Material:
    """What is sent to each chat: a text with its media, or messages to forward."""

    body: RichText = field(default_factory=RichText)
    media: tuple[MediaItem, ...] = ()
    forward: Forward | None = None

    @property
    def parts(self) -> int:
        """How many messages it is in a chat."""
        return len(self.forward.message_ids) if self.forward else max(1, len(self.media))

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what `to_json` gave."""
        given = value.get("forward")
        return cls(
            RichText.from_json(value["body"]),
            tuple(MediaItem.from_json(item) for item in value["media"]),
            Forward(given["chat"], tuple(given["message_ids"])) if given else None,
        )

    def to_json(self) -> dict[str, Any]:
        """Return it as `userbot_tasks.material` holds it."""
        forward = {"chat": self.forward.chat, "message_ids": list(self.forward.message_ids)} if self.forward else None
        return {"body": self.body.to_json(), "media": [item.to_json() for item in self.media], "forward": forward}


@dataclass(slots=True)
class Task:
    """A row of `userbot_tasks`, ours while `holder` is in it. `material` and `chats` are fixed at the first take."""

    id: UUID
    holder: UUID
    post_id: UUID | None
    text: str | None
    target_chat_ids: tuple[str, ...]
    forward: bool
    attempts: int
    traceparent: str | None
    material: Material | None = None
    chats: tuple[str, ...] = ()


@dataclass(slots=True)
class Chat:
    """One chat of a task, and how far it is.

    `attempt` is the number of its latest try. `doubtful_since` is when the first try began of which it is not known
    whether it arrived, by the database's clock, `doubtful_until` when repeating it is no longer safe, by ours;
    `doubt_of` is the account that made it. `due` is when it may be tried again, by our monotonic clock.
    """

    address: str
    attempt: int = 0
    outcome: Outcome | None = None
    peer_id: int | None = None
    doubtful_since: datetime | None = None
    doubtful_until: float = 0.0
    doubt_of: str | None = None
    troubles: int = 0
    repeats: int = 0
    due: float = 0.0

    @property
    def ended(self) -> bool:
        """Whether nothing more is to be done."""
        return self.outcome in FINAL

    @property
    def doubtful(self) -> bool:
        """Whether it may have been sent."""
        return self.doubtful_since is not None

    @property
    def in_fog(self) -> bool:
        """Whether it may have been sent, so long ago that it is no longer repeated."""
        return self.doubtful and time.monotonic() > self.doubtful_until

    def seed(self, task: Task) -> UUID:
        """Return what its random ids are made from: the same in every attempt."""
        return derive("broadcast", task.id, self.address)
