"""Profiles, their versions and trials, as the screens show them."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from markupsafe import Markup, escape
from pydantic import BaseModel

from api.http.problems import Problem
from api.panel.diff import compared
from api.panel.prose import prose
from api.resources.profile_trials import Trial, TrialRun
from api.resources.spending import SpentBy
from common.telegram.text import RichText
from common.telegram.utf16 import utf16_length

FIELDS = ("name", "style", "instructions", "keep", "language", "max_length", "model")
LONG = ("style", "instructions")
KEPT = ("links", "facts", "quotes")  # what the rewriter knows how to check; other words it is only told
DAYS = 30


def values_of(profile: BaseModel) -> dict[str, Any]:
    """Return what a profile, a version or a draft says."""
    return {name: getattr(profile, name) for name in FIELDS}


def values_given(form: Mapping[str, str], kept: Iterable[str]) -> dict[str, Any]:
    """Return what a form says; what is to be kept is boxes and a line of words."""
    more = (word.strip() for word in form.get("keep_more", "").split(","))
    keep = dict.fromkeys([*(each for each in kept if each in KEPT), *(word for word in more if word)])
    return {name: form.get(name, "").strip() for name in FIELDS if name != "keep"} | {"keep": list(keep)}


def differing(given: BaseModel, profile: BaseModel) -> dict[str, Any]:
    """Return what of a form is not as the profile says."""
    return {
        name: value for name in FIELDS if _plain(value := getattr(given, name)) != _plain(getattr(profile, name))
    }  # fmt: skip


def errors_of(problem: Problem) -> dict[str, str]:
    """Return what is wrong by field; what is about none of them is under the empty name."""
    found: dict[str, str] = {}
    for error in problem.errors:
        parts = error.get("pointer", "").removeprefix("/draft").split("/")
        name = parts[1] if len(parts) > 1 else ""
        found.setdefault(name if name in FIELDS else "", error["detail"])
    return found or {"name" if problem.kind == "conflict" else "": str(problem)}


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of two versions: how each says it, with what went and what came marked."""

    name: str
    same: bool
    before: Markup
    after: Markup


def differences(before: BaseModel, after: BaseModel) -> list[Difference]:
    """Return all fields of two versions, those that differ first."""
    found = [_difference(name, getattr(before, name), getattr(after, name)) for name in FIELDS]
    return sorted(found, key=lambda each: each.same)


def _difference(name: str, before: Any, after: Any) -> Difference:
    was, now = _text(before), _text(after)
    if was == now:
        shown = prose(was) if name in LONG else escape(was)
        return Difference(name, True, shown, shown)
    if name in LONG or name == "keep":
        return Difference(name, False, *compared(RichText(text=was), RichText(text=now)))
    marked = Markup("<del>{}</del>"), Markup("<ins>{}</ins>")
    return Difference(
        name, False, *(mark.format(text) if text else Markup() for mark, text in zip(marked, (was, now), strict=True))
    )


def _text(value: Any) -> str:
    return ", ".join(value) if isinstance(value, list | tuple) else str(value)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@dataclass(frozen=True, slots=True)
class Written:
    """A run of a trial, and its text with the differences marked."""

    run: TrialRun
    text: Markup
    length: int  # UTF-16 code units
    limit: int


@dataclass(frozen=True, slots=True)
class TriedPost:
    """What a trial made of one post; the first of the texts is what the others are compared with."""

    first: TrialRun
    original: Markup
    against_original: bool
    alike: bool  # all of the texts say the same
    texts: Sequence[Written]


@dataclass(frozen=True, slots=True)
class TrialView:
    """A trial, post by post, and what it took."""

    trial: Trial
    posts: Sequence[TriedPost]
    runs: Sequence[int | None]  # what was tried on each: versions, None for the draft
    waiting: int
    cost_usd: float

    @classmethod
    def of(cls, trial: Trial, limits: Mapping[int | None, int]) -> "TrialView":
        """Return how a trial is shown; `limits` are the lengths that its versions and its draft (None) allow."""
        by_post: dict[object, list[TrialRun]] = {}
        for run in trial.runs:
            by_post.setdefault(run.post_id, []).append(run)
        posts = [_tried(runs, limits) for runs in by_post.values()]
        tried = [run.version for run in next(iter(by_post.values()), [])]
        waiting = sum(run.status == "requested" for run in trial.runs)
        return cls(trial, posts, tried, waiting, sum(run.cost_usd for run in trial.runs))


def _tried(runs: Sequence[TrialRun], limits: Mapping[int | None, int]) -> TriedPost:
    first = runs[0]
    original = RichText.repaired(first.post_text, first.post_entities)
    bodies = [RichText.repaired(run.text, run.entities) for run in runs]
    ended = [body for body, run in zip(bodies, runs, strict=True) if run.status == "succeeded"]
    marked = [prose(body.text, body.entities) for body in bodies]
    alone = len(runs) == 1
    if alone and ended:
        _, marked[0] = compared(original, bodies[0])
    elif len(ended) == len(bodies):
        for place, body in enumerate(bodies[1:], 1):
            marked[0], marked[place] = compared(bodies[0], body)
    texts = [
        Written(run, text, utf16_length(run.text), limits[run.version]) for run, text in zip(runs, marked, strict=True)
    ]
    alike = not alone and len(ended) == len(bodies) and len({body.text for body in bodies}) == 1
    return TriedPost(first, prose(original.text, original.entities), alone, alike, texts)


def by_day(groups: Iterable[SpentBy], today: datetime) -> list[float]:
    """Return what each of the last days cost in thousandths of a dollar, oldest first; days without calls as well."""
    cost = {group.key: 1000 * group.cost_usd for group in groups}
    days = ((today - timedelta(days=back)).strftime("%Y-%m-%d") for back in reversed(range(DAYS)))
    return [cost.get(day, 0.0) for day in days]
