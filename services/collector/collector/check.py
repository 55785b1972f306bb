"""Checking: whether there is something to read at an address, and what. Nothing is collected by it.

Somebody waits for the answer, so there is one in any case, soon, and nothing is tried twice.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeAlias

from common.events import CheckRequested
from common.telegram.holding import NotHeld

CHECK_SECONDS = 20.0  # for a look
NEWEST = 3
TEXT_LENGTH = 400  # characters of a post that are shown

Trouble: TypeAlias = Literal[
    "address_refused",  # it is in a private network
    "not_an_address",
    "not_a_feed",
    "unusable_answer",  # an HTTP error, an answer that is too large
    "unreachable",
    "timed_out",
    "no_such_chat",
    "no_access",  # the account is no member
    "a_person",
    "forbids_saving",
    "asks_to_wait",
    "no_session",
    "session_dead",
    "failed",
]


@dataclass(frozen=True, slots=True)
class SeenPost:
    """A post as a person needs it to recognise a source."""

    text: str
    at: datetime | None = None
    url: str | None = None


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another address, which may be what is meant."""

    address: str
    title: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What there is to read at an address, the newest post first. `what` is rss, atom, json, channel or group."""

    what: str
    title: str = ""
    posts: int | None = None  # None: nobody says
    newest: Sequence[SeenPost] = ()


class NothingToRead(Exception):
    """There is nothing to read at an address: in words for a person."""

    def __init__(self, trouble: Trouble, reason: str, suggestions: Sequence[Suggestion] = ()) -> None:
        super().__init__(reason)
        self.trouble = trouble
        self.suggestions = suggestions


class Checker(Protocol):
    """Looks at addresses of one kind."""

    async def look(self, address: str, *, allow_private: bool) -> Finding:
        """Return what there is to read. Raises NothingToRead, or NotHeld where another replica can look."""


class CheckSource:
    """The use case. `checkers` are by kind of source."""

    def __init__(self, checkers: Mapping[str, Checker], *, seconds: float | None = None) -> None:
        self._checkers = checkers
        self._seconds = seconds or CHECK_SECONDS

    async def __call__(self, request: CheckRequested) -> Finding | NothingToRead:
        """Return what was found, or why nothing was. Raises NotHeld where another replica can look."""
        checker = self._checkers[request.kind]
        try:
            async with asyncio.timeout(self._seconds):
                return await checker.look(request.address, allow_private=request.allow_private)
        except NothingToRead as nothing:
            return nothing
        except NotHeld:
            raise
        except TimeoutError:
            return NothingToRead("timed_out", f"no answer within {self._seconds:g} s")
        except Exception as error:  # somebody waits for an answer, whatever it is
            return NothingToRead("failed", f"{type(error).__name__}: {error}")


def shown(title: str, text: str) -> str:
    """Return what is shown of a post: its title, or how it begins."""
    found = " ".join((f"{title}. {text}" if title and text and not text.startswith(title) else text or title).split())
    return found if len(found) <= TEXT_LENGTH else f"{found[: TEXT_LENGTH - 1].rstrip()}…"
