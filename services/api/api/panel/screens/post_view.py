"""What the page of a post is made of: a few figures, the timeline by days, what is under way, and the texts."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import groupby
from typing import Any, Literal
from zoneinfo import ZoneInfo

from markupsafe import Markup

from api.panel.desk import Desk
from api.panel.diff import compared
from api.panel.formats import Formats
from api.panel.prose import prose
from api.resources.post_history import Edit, PostJob, Publication, Rewrite, Scheduled
from api.resources.post_records import Happening
from api.resources.posts import Post
from common.telegram.entities import Entity
from common.telegram.text import RichText

Tone = Literal["", "ok", "bad", "person", "quiet"]
BAD = {"not_published", "refused", "dead_letter", "not_illustrated"}
GOOD = {"published", "illustrated"}
COUNTED = BAD - {"dead_letter"}  # failures; a dead letter is told by the last run of its job
TRIES = {"run", "chat"}
PEOPLE = {"edited", "act", "brief"}
ENDED_BADLY = {"failed", "cancelled"}


class Data(dict[str, Any]):
    """What a line of the timeline has. What it has not is None: kinds have different ones."""

    def __missing__(self, name: str) -> None:
        """Return nothing."""


@dataclass(slots=True)
class Step:
    """A line of the timeline. `since`: so many seconds after the line before it; `under`: lines that belong to it."""

    said: Happening
    tone: Tone
    since: float | None = None
    under: list["Step"] = field(default_factory=list)

    @property
    def data(self) -> Data:
        """What it has."""
        return Data(self.said.data)

    @property
    def key(self) -> str:
        """What tells it from others, and stays as the timeline grows."""
        names = ("event_id", "rewrite_id", "publication_id", "broadcast_id", "scheduled_id", "chat")
        ids = (self.data[name] for name in names)
        known = "-".join(str(each) for each in ids if each)
        return f"{self.said.kind}-{self.said.at:%Y%m%d%H%M%S%f}-{known}"


@dataclass(frozen=True, slots=True)
class Summary:
    """The figures of a post. `seconds` are from its collection to its first message."""

    cost_usd: float
    tokens: int
    calls: int
    failures: int
    seconds: float | None
    delay_seconds: float | None  # from its source to us


@dataclass(frozen=True, slots=True)
class UnderWay:
    """What is not done: work that runs or waits, what is queued, what is planned."""

    jobs: list[PostJob]
    publications: list[Publication]
    planned: list[Scheduled]

    def __bool__(self) -> bool:
        """Whether there is anything."""
        return bool(self.jobs or self.publications or self.planned)

    @property
    def moves(self) -> bool:
        """Whether something may happen at any moment."""
        return bool(self.jobs or self.publications)


@dataclass(frozen=True, slots=True)
class Text:
    """A rewrite, and the latest edit of it."""

    rewrite: Rewrite
    edit: Edit | None
    before: Markup  # the original, with what went marked
    after: Markup  # with what came marked
    clean: Markup


@dataclass(frozen=True, slots=True)
class Texts:
    """The original, its edit, and the rewrites, the newest first."""

    original: Markup
    edit: Markup | None
    rewrites: list[Text]
    refused: list[Rewrite]

    @classmethod
    def of(cls, post: Post) -> "Texts":
        """Return what is to be read of a post."""
        original = RichText(text=post.text, entities=tuple(post.entities))
        edits = {each.rewrite_id: each for each in post.edits}
        own = edits.get(None)
        written = [each for each in reversed(post.rewrites) if each.status == "succeeded"]
        return cls(
            prose(post.text, post.entities),
            prose(own.text, own.entities) if own else None,
            [_text(original, each, edits.get(each.id)) for each in written],
            [each for each in reversed(post.rewrites) if each.status != "succeeded"],
        )


def _text(original: RichText, rewrite: Rewrite, edit: Edit | None) -> Text:
    text: str = edit.text if edit else rewrite.text
    entities: list[Entity] = edit.entities if edit else rewrite.entities
    before, after = compared(original, RichText(text=text, entities=tuple(entities)))
    return Text(rewrite, edit, before, after, prose(text, entities))


def summary(post: Post, happened: Sequence[Happening]) -> Summary:
    """Return the figures of a post. Where its calls to models are forgotten, what came of them says their cost."""
    calls = [each.data for each in happened if each.kind == "model_call"]
    cost = sum(float(each["cost_usd"]) for each in calls)
    kept = sum(each.cost_usd for each in post.rewrites) + sum(each.cost_usd for each in post.illustrations)
    tokens = sum(int(each["tokens"]) for each in calls)
    published = [each.at for each in happened if each.kind == "published"]
    return Summary(
        cost_usd=max(cost, kept),
        tokens=tokens or sum(each.prompt_tokens + each.completion_tokens for each in post.rewrites),
        calls=len(calls) or len(post.rewrites),
        failures=sum(each.kind in COUNTED or (each.kind in TRIES and _failed(each)) for each in happened),
        seconds=(min(published) - post.collected_at).total_seconds() if published else None,
        delay_seconds=(post.collected_at - post.posted_at).total_seconds() if post.posted_at else None,
    )


def under_way(post: Post) -> UnderWay:
    """Return what of a post is not done."""
    return UnderWay(
        [each for each in post.jobs if each.status in ("queued", "in_progress")],
        [each for each in post.publications if each.status in ("queued", "in_progress", "unknown")],
        [each for each in post.scheduled if each.status in ("scheduled", "publishing")],
    )


def destinations(post: Post) -> list[Publication]:
    """Return where the post is or was to be, those with a message first."""
    return sorted(post.publications, key=lambda each: (each.status != "succeeded", each.destination))


def days(happened: Iterable[Happening], *, every: bool, local: ZoneInfo) -> list[tuple[date, list[Step]]]:
    """Return the timeline by days of the viewer's calendar; without what is minor, unless `every` line is asked for."""
    steps: list[Step] = []
    broadcasts: dict[str, list[Step]] = {}
    for each in happened:
        if each.kind == "chat" and not every:
            broadcasts.setdefault(each.data["broadcast_id"], []).append(Step(each, _tone(each)))
        elif every or not each.minor:
            steps.append(Step(each, _tone(each)))
    for (
        step
    ) in steps:  # the chats stand with the end of their broadcast, or as long as there is none with its beginning
        if step.said.kind in ("broadcast_requested", "broadcast_ended"):
            ended = {each.said.data["broadcast_id"] for each in steps if each.said.kind == "broadcast_ended"}
            key = step.said.data["broadcast_id"]
            if step.said.kind == "broadcast_ended" or key not in ended:
                step.under = broadcasts.pop(key, [])
    last: datetime | None = None
    for step in steps:
        step.since = (step.said.at - last).total_seconds() if last else None
        last = step.said.at
    by_day = groupby(steps, key=lambda step: step.said.at.astimezone(local).date())
    return [(day, list(lines)) for day, lines in by_day]


def time_of(told: object) -> datetime:
    """Return a moment that stands in the data of something that happened."""
    return datetime.fromisoformat(str(told))


def differ(before: str, after: str) -> tuple[Markup, Markup]:
    """Return two plain texts with what went and what came marked."""
    return compared(RichText(text=before), RichText(text=after))


def precise(desk: Desk, seconds: float) -> str:
    """Return a duration with its two largest units, or of less than ten seconds with tenths: 2 min 5 s, 3.4 s."""
    formats = Formats(desk.viewer)
    if abs(seconds) < 10:
        return f"{formats.number(seconds, digits=1)}\N{NO-BREAK SPACE}{formats.span(1).split()[-1]}"
    for size, below in ((86400, 3600), (3600, 60), (60, 1)):
        if abs(seconds) >= size:
            rest = seconds % size
            return formats.span(seconds) + (f" {formats.span(rest)}" if rest >= below else "")
    return formats.span(seconds)


def _failed(said: Happening) -> bool:
    data = said.data
    match said.kind:
        case "run":
            return data["outcome"] in ("failed", "crashed")
        case "model_call":
            return bool(data["outcome"] not in ("answered", "refused"))
        case "chat":
            return data["outcome"] in ("refused", "unknown")
        case "job":
            return bool(data["status"] == "failed")
        case _:
            return False


def _tone(said: Happening) -> Tone:
    data = said.data
    if said.kind in BAD or _failed(said):
        return "bad"
    if said.kind in ("plan_ended", "package_ended", "broadcast_ended") and data["status"] in ENDED_BADLY:
        return "bad" if data["status"] == "failed" else ""
    if said.kind in GOOD:
        return "ok"
    if said.kind in PEOPLE or data.get("by"):
        return "person"
    if said.kind == "medium" and data["problem"]:
        return ""
    return "quiet" if said.minor else ""
