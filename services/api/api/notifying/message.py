"""What a message to people says: how serious, what, how often, and since when."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime

from api.notifying.ports import SEVERITIES, Notice
from common.telemetry.logs import Redact

SHOWN = 30  # notifications that one message has in full
DETAIL_LENGTH = 2000  # characters
TITLE_LENGTH = 150
REDACT = Redact(())  # what looks like a secret: errors quote addresses and answers, and messages go far


def subject_of(notices: Sequence[Notice]) -> str:
    """Return the one line that says what it is about."""
    first = most_serious(notices)[0]
    if len(notices) == 1:
        return f"[Postroom] {first.severity}: {_line(first.title)}{_times(first)}"
    counts = Counter(notice.severity for notice in notices)
    said = ", ".join(f"{counts[each]} {each}" for each in reversed(SEVERITIES) if counts[each])
    return f"[Postroom] {said}: {_line(first.title)}{_times(first)}, and {len(notices) - 1} more"


def text_of(notices: Sequence[Notice]) -> str:
    """Return the message as plain text."""
    ordered = most_serious(notices)
    parts = [_paragraph(notice) for notice in ordered[:SHOWN]]
    if len(ordered) > SHOWN:
        parts.append(f"… and {len(ordered) - SHOWN} more: GET /api/v1/notifications, or `postroom status`.")
    return "\n\n".join(parts) + "\n"


def most_serious(notices: Sequence[Notice]) -> list[Notice]:
    """Return notices, the most serious and most frequent ones first."""
    return sorted(notices, key=lambda each: (-SEVERITIES.index(each.severity), -each.count, each.first_at, each.id))


def _paragraph(notice: Notice) -> str:
    when = _moment(notice.last_at)
    if notice.count > 1:
        when = f"{notice.count:,} times, from {_moment(notice.first_at)} to {when}"
    lines = [f"{notice.severity.upper()}: {_line(notice.title)}", f"{when} ({notice.kind})"]
    if notice.tellings:
        lines[1] += "; an update of what was told before"
    if notice.post_id:
        lines.append(f"post {notice.post_id}")
    if notice.detail:
        lines.append(REDACT.clean(notice.detail)[:DETAIL_LENGTH])
    return "\n".join(lines)


def _times(notice: Notice) -> str:
    return f" ({notice.count:,} times)" if notice.count > 1 else ""


def _line(text: str) -> str:
    return " ".join(str(REDACT.clean(text)).split())[:TITLE_LENGTH]


def _moment(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
