"""The form of a route: what was typed, and what the API is given of it."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from api.http.problems import Problem
from api.panel.desk import Desk
from api.panel.screens.sources_words import N_
from api.resources.routes import Route

DAYS = ("1", "2", "3", "4", "5", "6", "7")
SEPARATORS = re.compile(r"[\s,;]+")
HOURS = re.compile(r"(\d{1,2})[:.](\d{2})")
FIELDS = ("name", "source_id", "profile_id", "targets", "slots", "broadcast", "approval_expires_hours")
WRONG = {
    "name": N_("it needs a name"),
    "profile_id": N_("it needs a profile"),
    "targets": N_("it needs a destination, such as telegram:@channel"),
    "slots": N_("times are written like 09:00, 18:30, at one day at least, and the zone like Europe/Moscow"),
    "broadcast": N_("the minutes of the broadcast are a number, and its chats @names or ids"),
    "approval_expires_hours": N_("the hours are a number above zero"),
}


@dataclass(frozen=True, slots=True)
class RouteForm:
    """The fields, as text."""

    name: str = ""
    source_id: str = ""  # empty: every source
    profile_id: str = ""
    targets: tuple[str, ...] = ()
    more_targets: str = ""
    approval: bool = False
    expires_hours: str = ""
    illustrate: bool = False
    image_required: bool = False
    when: str = "at_once"  # or slots
    timezone: str = "UTC"
    times: dict[str, str] = field(default_factory=dict)  # by ISO weekday
    distance_minutes: str = ""
    broadcast: bool = False
    chats: str = ""
    delay_minutes: str = ""
    forward: bool = False
    enabled: bool = True
    etag: str = ""
    wrong: dict[str, str] = field(default_factory=dict)  # by field; "" is the form's own

    @classmethod
    def of(cls, route: Route, timezone: str, etag: str) -> "RouteForm":
        """Return the form of a route."""
        slots, broadcast = route.slots, route.broadcast
        return cls(
            name=route.name,
            source_id=str(route.source_id or ""),
            profile_id=str(route.profile_id),
            targets=tuple(route.targets),
            approval=route.approval,
            expires_hours=_plain(route.approval_expires_hours),
            illustrate=route.illustrate,
            image_required=route.image_required,
            when="slots" if slots else "at_once",
            timezone=slots.timezone if slots else timezone,
            times={str(day): ", ".join(times) for day, times in slots.times.items()} if slots else {},
            distance_minutes=_plain(slots.minimum_distance_minutes if slots else None),
            broadcast=broadcast is not None,
            chats="\n".join(broadcast.chats) if broadcast else "",
            delay_minutes=_plain(broadcast.delay_seconds / 60 if broadcast else None),
            forward=bool(broadcast and broadcast.forward),
            enabled=route.enabled,
            etag=etag,
        )

    @classmethod
    async def sent(cls, desk: Desk) -> "RouteForm":
        """Return what was typed."""
        form = await desk.form()
        texts = ("name", "source_id", "profile_id", "more_targets", "expires_hours", "when", "timezone",
                 "distance_minutes", "chats", "delay_minutes", "etag")  # fmt: skip
        boxes = ("approval", "illustrate", "image_required", "broadcast", "forward", "enabled")
        return cls(
            **{name: form[name].strip() for name in texts if name in form},  # type: ignore[arg-type]
            **{name: name in form for name in boxes},  # type: ignore[arg-type]
            targets=tuple(dict.fromkeys(await desk.chosen("targets"))),
            times={day: form.get(f"times_{day}", "").strip() for day in DAYS},
        )

    def values(self) -> dict[str, Any]:
        """Return what the API is given; what is wrong about it, the API says."""
        more = tuple(each for each in SEPARATORS.split(self.more_targets) if each)
        chats = [each for each in SEPARATORS.split(self.chats) if each]
        slots = {
            "timezone": self.timezone,
            "times": {day: times for day in DAYS if (times := _times(self.times.get(day, "")))},
            "minimum_distance_minutes": _number(self.distance_minutes) or 0,
        }
        broadcast = {"chats": chats, "delay_seconds": 60 * (_number(self.delay_minutes) or 0), "forward": self.forward}
        return {
            "name": self.name,
            "source_id": self.source_id or None,
            "profile_id": self.profile_id or None,
            "targets": list(dict.fromkeys((*self.targets, *more))),
            "approval": self.approval,
            "approval_expires_hours": _number(self.expires_hours) if self.approval else None,
            "illustrate": self.illustrate,
            "image_required": self.image_required and self.illustrate,
            "slots": slots if self.when == "slots" else None,
            "broadcast": broadcast if self.broadcast else None,
            "enabled": self.enabled,
        }

    def refused(self, problem: Problem, desk: Desk) -> "RouteForm":
        """Return the form with what is wrong about it."""
        return replace(self, wrong=wrong_fields(problem, desk))


def wrong_fields(problem: Problem, desk: Desk) -> dict[str, str]:
    """Return what is wrong about a route, by field."""
    wrong = {}
    for error in reversed(problem.errors):
        field_name = _field(error.get("pointer", ""))
        known = WRONG.get(field_name)
        wrong[field_name] = desk.gettext(known) if known else error["detail"]
    return wrong or {"": str(problem)}


def _field(pointer: str) -> str:
    first = pointer.removeprefix("/route").strip("/").split("/")[0]
    return first if first in FIELDS else ""


def _times(text: str) -> list[str]:
    """Return times as the API has them: 9.00 is 09:00."""
    given = [each for each in SEPARATORS.split(text) if each]
    return [f"{int(found[1]):02}:{found[2]}" if (found := HOURS.fullmatch(each)) else each for each in given]


def _number(text: str) -> float | str | None:
    """Return a number; what is none is left for the API to refuse."""
    try:
        return float(text.replace(",", ".")) if text else None
    except ValueError:
        return text


def _plain(number: float | None) -> str:
    return "" if not number else f"{number:g}"
