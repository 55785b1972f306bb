"""What posts are chosen by, and the statement that reads the fewest rows for it.

A statement has only the conditions that are asked for, and begins where there is the least to look at: at the marks of
a state or of a target, at the words where few posts have them, else at the newest posts. A statement with all
conditions, each of which may be left out, is planned once for all cases, and then reads every post for a rare word.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args
from uuid import UUID

from api.statements import statement

State = Literal["pending", "scheduled", "published", "awaiting", "rejected", "duplicate", "cancelled", "dead"]
STATES: tuple[State, ...] = get_args(State)
FIRST = 4  # the number of the first filter among the arguments of a statement: limit, time and key come before
WORDS = "websearch_to_tsquery('russian', {}::text)"
BEGUN = "(websearch_to_tsquery('russian', {0}::text) || to_tsquery('russian', {1}::text))"
UNFINISHED = re.compile(r"\w{2,50}")
FEW = 2500  # posts with the words of a search: so many are looked at one by one in a few milliseconds


@dataclass(frozen=True, slots=True)
class PostFilter:
    """Which posts are meant: all that match everything given. `since` is included, `until` is not.

    `begun`: the words of `q` are being typed, so that the last one may only be the beginning of one.
    """

    state: State | None = None
    source_id: UUID | None = None
    target: str | None = None
    q: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    begun: bool = False

    def listing(self, with_words: int = 0) -> tuple[str, list[Any]]:
        """Return the statement of a page, and its arguments after limit, time and key.

        `with_words` is about how many posts have the words of `q`.
        """
        arguments: list[Any] = []

        def given(condition: str, value: Any) -> str:
            if value is None:
                return ""
            arguments.append(value)
            return condition.replace("$$", f"${FIRST + len(arguments) - 1}")

        # Each is numbered once, and may stand in several parts of the statement.
        source = given("AND {source} = $$::uuid", self.source_id)
        since = given("AND {at} >= $$::timestamptz", self.since)
        until = given("AND {at} < $$::timestamptz", self.until)
        target = given("target = $$", self.target)
        words = self._words(lambda value: given("$$", value))
        near = f"{source} {since} {until}"  # what both posts and marks have
        of_post = near.format(source="p.source_id", at="p.collected_at")
        at_target = f"AND EXISTS (SELECT FROM post_marks t WHERE t.post_id = p.id AND t.{target})" if target else ""
        # IS TRUE: the index of words is of no use where many posts have them
        spoken = f"AND (p.words @@ {words}) IS TRUE" if words else ""
        whole = f"{of_post} {at_target} {spoken}"
        shown = f"'{self.state}'" if self.state else "NULL::text"
        marked = f"AND EXISTS (SELECT FROM post_marks s WHERE s.post_id = p.id AND s.state = {shown})"
        marked = marked if self.state else ""

        if words and with_words < FEW:
            found = _filled(
                "found_by_words",
                words=words,
                conditions=of_post,
                marked=f"{marked} {at_target}",
                shown=shown,
                state=f"AND post_state(h.id) = {shown}" if self.state else "",
            )
        elif self.state or target:
            # Most posts that are at a target are published: those are found by the target, others by their state.
            by_target = bool(target) and self.state in (None, "published")
            led_by, also = (target, marked) if by_target else (f"state = {shown}", at_target)
            found = _filled(
                "found_by_mark",
                marks=f"AND {led_by} {near.format(source='source_id', at='post_at')}",
                conditions=f"{also} {spoken}",
                state=f"post_state(p.id) = {shown}" if self.state else "true",
                shown=shown,
            )
        else:
            found = _filled("found", conditions=whole)
        if self.state == "pending":
            under_way = _filled("found_under_way", conditions=whole)
            found = _filled("found_either", found=found, under_way=under_way)
        return _filled("page", found=found), arguments

    def estimate(self) -> tuple[str, list[Any]]:
        """Return the statement that says how many posts have the words of `q`, as far as the planner knows."""
        arguments: list[Any] = []

        def numbered(value: Any) -> str:
            arguments.append(value)
            return f"${len(arguments)}"

        return _filled("with_words", words=self._words(numbered)), arguments

    def _words(self, given: Callable[[Any], str]) -> str:
        """Return what is searched for. A word that was begun is one of the words it may become, or itself."""
        if self.q is None:
            return ""
        *_, last = self.q.rsplit(maxsplit=1) or [""]
        if self.begun and UNFINISHED.fullmatch(last) and last.lower() != "or":
            begun = BEGUN.format(given(last), given(f"{last}:*"))
            rest = self.q.strip().removesuffix(last).strip()
            return f"({WORDS.format(given(rest))} && {begun})" if rest else begun
        return WORDS.format(given(self.q))


def _filled(name: str, **parts: str) -> str:
    """Return a named statement with its places filled."""
    text = statement("post_lists", name)
    for place, part in parts.items():
        text = text.replace(f"{{{place}}}", part)
    return text
