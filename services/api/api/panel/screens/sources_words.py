"""What is said of sources: their schedules, how they do, why they can't be read."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from api.panel.viewer import Viewer
from api.panel.words import translations
from api.resources.source_activity import Activity
from api.resources.sources import Source

Health = Literal["paused", "failing", "new", "well"]


def N_(text: str) -> str:  # noqa: N802 # as gettext has it
    """Mark a text that is translated when it is shown."""
    return text


class Preset(NamedTuple):
    """A schedule that is chosen by its name."""

    line: str
    name: str


PRESETS = (
    Preset("", N_("only when it has news, or by hand")),
    Preset("*/5 * * * *", N_("every 5 minutes")),
    Preset("*/15 * * * *", N_("every 15 minutes")),
    Preset("*/30 * * * *", N_("every half an hour")),
    Preset("0 * * * *", N_("every hour")),
    Preset("0 */6 * * *", N_("every 6 hours")),
    Preset("0 9 * * *", N_("every day at 9:00 UTC")),
)
FEED_DEFAULT = "*/15 * * * *"
WHATS = {
    "channel": N_("Telegram channel"),
    "group": N_("Telegram group"),
    "rss": N_("RSS feed"),
    "atom": N_("Atom feed"),
    "json": N_("JSON feed"),
}
KINDS = {"telegram": N_("Telegram"), "feed": N_("Feed"), "import": N_("Import"), "canary": N_("Canary")}
# By what an error begins with, or has in it; what was said is shown beside it.
ERRORS: Sequence[tuple[str, str]] = (
    ("HTTP 401", N_("it asks for a password")),
    ("HTTP 403", N_("it refuses us")),
    ("HTTP 404", N_("there is nothing at this address any more")),
    ("HTTP 410", N_("it was removed for good")),
    ("HTTP 429", N_("it asks us to come less often")),
    ("HTTP 5", N_("the site has trouble of its own")),
    ("timed out", N_("it does not answer in time")),
    ("can't be reached", N_("it can't be reached")),
    ("refused:", N_("its address is in a private network")),
    ("not a feed", N_("what is there is no feed")),
    ("a feed that can't be parsed", N_("the feed is broken")),
    ("FeedBroken", N_("the feed is broken")),
    ("there is no @", N_("there is no channel of this name")),
    ("CHANNEL_PRIVATE", N_("the channel is closed to our account")),
    ("the account is not a member", N_("our account has not joined it")),
    ("the channel forbids saving", N_("the channel forbids saving its content")),
    ("FloodWait", N_("Telegram asks us to wait")),
    ("Telegram session", N_("the Telegram session has ended: sign in again")),
    ("Telegram is not set up", N_("there is no Telegram session")),
    ("SessionUnavailable", N_("Telegram can't be reached")),
)
# By what a look at an address says in one word.
TROUBLES = {
    "address_refused": N_("its address is in a private network"),
    "not_an_address": N_("that is no address"),
    "not_a_feed": N_("what is there is no feed"),
    "unusable_answer": N_("it can't be read"),
    "unreachable": N_("it can't be reached"),
    "timed_out": N_("it does not answer in time"),
    "no_such_chat": N_("there is no channel of this name"),
    "no_access": N_("our account has not joined it"),
    "a_person": N_("that is a person or a bot"),
    "forbids_saving": N_("the channel forbids saving its content"),
    "asks_to_wait": N_("it asks us to wait"),
    "no_session": N_("there is no Telegram session"),
    "session_dead": N_("the Telegram session has ended: sign in again"),
    "failed": N_("looking at it failed"),
    "unanswered": N_("nobody has looked at it"),
}


@dataclass(frozen=True, slots=True)
class Row:
    """A source as a list shows it."""

    source: Source
    activity: Activity | None

    @property
    def health(self) -> Health:
        """How it does."""
        return health(self.source)


def health(source: Source) -> Health:
    """Return how a source does."""
    if not source.enabled:
        return "paused"
    if source.last_error:
        return "failing"
    return "well" if source.last_run_at or source.kind in ("import", "canary") else "new"


class SourceWords:
    """The words for one viewer."""

    def __init__(self, viewer: Viewer) -> None:
        self._say = translations(viewer.language).gettext

    def schedule(self, line: str | None) -> str:
        """Return a schedule in words, or as it stands."""
        name = next((preset.name for preset in PRESETS if preset.line == (line or "")), None)
        return self._say(name) if name else f"{line} UTC"

    def presets(self, line: str | None) -> list[tuple[str, str, bool]]:
        """Return what can be chosen: value, name, whether it is chosen. A line of one's own is the last."""
        chosen = "" if line in (None, "own") else line
        known = [(preset.line, self._say(preset.name), preset.line == chosen) for preset in PRESETS]
        return known if any(each[2] for each in known) else [*known, (chosen, f"{chosen} UTC", True)]

    def what(self, what: str | None) -> str:
        """Return what is to be read at an address."""
        return self._say(WHATS[what]) if what in WHATS else ""

    def trouble(self, trouble: str | None) -> str:
        """Return what a look has found to stand in the way, as a sentence."""
        said = self._say(TROUBLES[trouble]) if trouble in TROUBLES else trouble or ""
        return said[:1].upper() + said[1:]

    def kind(self, kind: str) -> str:
        """Return the kind of a source."""
        return self._say(KINDS[kind])

    def error(self, said: str | None) -> str:
        """Return an error in words, or as it was said."""
        text = re.sub(r"^(?:SourceUnreadable|FeedError): ", "", said or "")
        found = next((words for beginning, words in ERRORS if text.startswith(beginning)), None)
        return self._say(found) if found else text
