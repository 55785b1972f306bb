"""What a rewrite changed: the two texts with what went and what came marked, word by word."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from functools import lru_cache
from typing import NamedTuple

from markupsafe import Markup

from api.panel.prose import Mark, prose, tag
from common.telegram.text import RichText

_WORDS = re.compile(r"\w+(?:[-'’]\w+)*|[^\w\s]")
CALM = 4  # a change goes on over fewer letters than these that stayed
PARAGRAPH = re.compile(r"\n\s*\n")


class Change(NamedTuple):
    """A run of words that both texts have, or that changed: where it is in each, in code points."""

    equal: bool
    before: tuple[int, int]
    after: tuple[int, int]


@lru_cache(maxsize=512)
def changes(before: str, after: str) -> tuple[Change, ...]:
    """Return the runs of two texts in order; together they are each text as a whole.

    Words are compared, not the spaces between them. Runs that changed and have hardly a word between them are one, so
    that it reads calmly.
    """
    old, new = _words(before), _words(after)
    left, right = [before[a:b] for a, b in old], [after[a:b] for a, b in new]
    # With `autojunk` words that come very often are matched beside others only: fast, and no "and" divides a change.
    matcher = SequenceMatcher(None, left, right, autojunk=True)
    runs: list[tuple[bool, int, int, int, int]] = []
    opcodes = matcher.get_opcodes() if left != right else [("equal", 0, len(left), 0, len(right))]
    for number, (kind, a1, a2, b1, b2) in enumerate(opcodes):
        equal = kind == "equal"
        if equal and runs and number + 1 < len(opcodes) and _hardly_a_word(before, old[a1:a2], after, new[b1:b2]):
            equal = False
        if runs and runs[-1][0] == equal:
            same, x1, _, y1, _ = runs[-1]
            runs[-1] = same, x1, a2, y1, b2
        else:
            runs.append((equal, a1, a2, b1, b2))
    return tuple(_placed(runs, old, len(before), new, len(after)))


def compared(before: RichText, after: RichText) -> tuple[Markup, Markup]:
    """Return both texts as HTML: what went in <del> in the first, what came in <ins> in the second."""
    runs = changes(before.text, after.text)
    went = _marks("del", before.text, [run.before for run in runs if not run.equal])
    came = _marks("ins", after.text, [run.after for run in runs if not run.equal])
    return prose(before.text, before.entities, went), prose(after.text, after.entities, came)


def _words(text: str) -> list[tuple[int, int]]:
    return [match.span() for match in _WORDS.finditer(text)]


def _hardly_a_word(before: str, old: Sequence[tuple[int, int]], after: str, new: Sequence[tuple[int, int]]) -> bool:
    if sum(end - start for start, end in old) >= CALM:
        return False
    return not PARAGRAPH.search(before, old[0][0], old[-1][1]) and not PARAGRAPH.search(after, new[0][0], new[-1][1])


def _placed(
    runs: Sequence[tuple[bool, int, int, int, int]],
    old: Sequence[tuple[int, int]],
    before: int,
    new: Sequence[tuple[int, int]],
    after: int,
) -> list[Change]:
    """Return runs of words as parts of the texts: each goes on to where the next one begins."""
    found: list[Change] = []
    x = y = 0
    for number, (equal, _, a2, _, b2) in enumerate(runs):
        last = number + 1 == len(runs)
        x2 = before if last else (old[a2][0] if a2 < len(old) else before)
        y2 = after if last else (new[b2][0] if b2 < len(new) else after)
        found.append(Change(equal, (x, x2), (y, y2)))
        x, y = x2, y2
    return found


def _marks(name: str, text: str, parts: Sequence[tuple[int, int]]) -> list[Mark]:
    """Return marks over parts of a text, without the spaces at their ends."""
    marks = []
    for start, end in parts:
        inner = text[start:end].strip()
        if inner:
            first = start + text[start:end].index(inner)
            marks.append(tag(name, first, first + len(inner)))
    return marks
