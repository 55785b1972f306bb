"""The audit log: who changed what, with what was different afterwards."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Query
from starlette.responses import Response

from api.panel.desk import Asking
from api.panel.routes import screen
from api.resources.audit import Entry, list_audit_log

router = screen()

LONGEST = 2000  # characters of a value that are shown


@dataclass(frozen=True, slots=True)
class Difference:
    """A value that is different; None: there was none, or there is none any more."""

    name: str
    before: str | None
    after: str | None


@router.get("/settings/audit")
async def show_audit_log(
    desk: Asking,
    actor: str = "",
    action: str = "",
    object_: Annotated[str, Query(alias="object")] = "",
    cursor: str = "",
) -> Response:
    """List changes, the newest first."""
    entries = await desk.read(
        list_audit_log, actor=actor or None, action=action or None, object=object_ or None, cursor=cursor
    )
    return desk.page(
        "settings_audit.html",
        block="entries",
        entries=entries,
        differences={entry.id: list(differences(entry)) for entry in entries.items},
        actor=actor,
        action=action,
        object=object_,
        actions=desk.operations.names(),
    )


def differences(entry: Entry) -> Iterator[Difference]:
    """Return what was changed. What was answered beside a change, such as how much it concerned, is told as new."""
    before, after = _values(entry.before), _values(entry.after)
    changed = bool(before) and bool(after)
    for name in [*before, *(name for name in after if name not in before)]:
        was, became = before.get(name), after.get(name)
        if was == became or (changed and name not in after):
            continue
        yield Difference(name, _shown(was), _shown(became))


def _values(given: Any) -> dict[str, Any]:
    if given is None:
        return {}
    return given if isinstance(given, dict) else {"": given}


def _shown(value: Any) -> str | None:
    match value:
        case None | "" | [] | {}:
            return None
        case str():
            text = value
        case bool() | int() | float():
            text = json.dumps(value)
        case list() if all(isinstance(each, str) for each in value):
            text = ", ".join(value)
        case _:
            text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
