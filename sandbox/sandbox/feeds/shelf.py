"""The feeds that the sandbox holds, kept in an append-only file."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid5

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, HttpUrl

Format = Literal["rss", "atom", "json"]


class FeedItem(BaseModel):
    """One entry. `content` is HTML. Without an `id` or a `published` the feed gives it one when it is added."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = ""
    title: str = Field(min_length=1, max_length=500)
    content: str = ""
    url: HttpUrl | None = None
    author: str = ""
    categories: tuple[str, ...] = ()
    published: AwareDatetime | None = None


class FeedAbout(BaseModel):
    """What a feed says of itself, and the format that it is in where the reader asks for none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")
    title: str = ""
    description: str = ""
    url: HttpUrl = HttpUrl("https://example.com/")
    language: str = "en"
    format: Format = "rss"


@dataclass(slots=True)
class Feed:
    """A feed and its items, the newest first. `changed` is when the last one came (UTC, whole seconds)."""

    about: FeedAbout
    changed: datetime
    items: list[FeedItem] = field(default_factory=list)
    count: int = 0


class Shelf:
    """All feeds by name. A feed shows its newest `window` items, as feeds do; older ones fall out."""

    def __init__(self, path: Path | None, window: int = 100) -> None:
        self._path = path
        self._window = window
        self._feeds: dict[str, Feed] = {}
        if path is not None and path.exists():
            for line in path.read_text("utf-8").splitlines():
                self._replay(line)

    def __iter__(self) -> Iterator[Feed]:
        return iter(self._feeds.values())

    def get(self, name: str) -> Feed | None:
        """Return the feed of this name."""
        return self._feeds.get(name)

    def open(self, about: FeedAbout) -> Feed:
        """Add a feed, or describe the one of this name anew."""
        feed = self._open(about, _now())
        self._append({"feed": about.model_dump(mode="json"), "at": feed.changed.isoformat()})
        return feed

    def add(self, name: str, item: FeedItem) -> FeedItem:
        """Add an item to a feed, which is opened where there is none of this name, and return it with its id.

        An item whose id the feed already holds replaces that one.
        """
        feed = self._feeds.get(name) or self.open(FeedAbout(name=name, title=name))
        item = item.model_copy(
            update={
                "id": item.id or f"urn:uuid:{uuid5(NAMESPACE_URL, f'{name}/{feed.count + 1}/{item.title}')}",
                "published": item.published or _now(),
            }
        )
        at = _now()
        self._add(feed, item, at)
        self._append({"item": item.model_dump(mode="json"), "to": name, "at": at.isoformat()})
        return item

    def _open(self, about: FeedAbout, at: datetime) -> Feed:
        feed = self._feeds.setdefault(about.name, Feed(about, at))
        feed.about, feed.changed = about, at
        return feed

    def _add(self, feed: Feed, item: FeedItem, at: datetime) -> None:
        kept = [each for each in feed.items if each.id != item.id]
        feed.items = [item, *kept][: self._window]
        feed.changed = at
        feed.count += 1

    def _append(self, entry: dict[str, object]) -> None:
        if self._path is not None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")

    def _replay(self, line: str) -> None:
        try:
            entry = json.loads(line)
        except ValueError:
            return  # the last line of a sandbox that was killed while writing it
        at = datetime.fromisoformat(entry["at"])
        if "feed" in entry:
            self._open(FeedAbout.model_validate(entry["feed"]), at)
        else:
            self._add(self._feeds[entry["to"]], FeedItem.model_validate(entry["item"]), at)


def _now() -> datetime:
    return datetime.now(UTC).replace(microsecond=0)
