"""The form of a rule: what stands in its fields, and what they say of the rule."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from typing import Any

from api.http.problems import Problem
from api.panel.desk import Desk
from api.panel.screens.rules_words import DAY, HOUR, parted
from api.panel.viewer import Viewer
from api.resources.rules import Rule
from common.planning.wall_clock import wall_time

KINDS = ("daily", "weekly", "interval", "once", "cron")
UNITS = {"minutes": 1, "hours": HOUR, "days": DAY}


@dataclass
class RuleForm:
    """The fields, as they are typed, and what is wrong with them by name."""

    name: str = ""
    kind: str = "daily"
    times: str = "09:00"
    days: Sequence[str] = ("1", "2", "3", "4", "5")
    every: str = "6"
    unit: str = "hours"
    begins: str = ""  # what an interval is counted from: kept as it is
    once_day: str = ""
    once_time: str = ""
    expression: str = "0 9 * * mon-fri"
    timezone: str = "UTC"
    jitter: str = "0"
    title: str = ""
    description: str = ""
    profile: str = ""
    illustrate: bool = False
    targets: Sequence[str] = ()
    is_active: bool = True
    etag: str = ""
    problems: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(cls, rule: Rule, viewer: Viewer, etag: str) -> "RuleForm":
        """Return the form of a rule as it is."""
        config, content = rule.schedule_config, rule.content_config
        every = int(config.get("every_minutes", 6 * HOUR))
        unit = next(name for name, size in reversed(UNITS.items()) if every % size == 0)
        moment = config.get("at")
        once_day, once_time = parted(datetime.fromisoformat(moment) if moment else None, viewer)
        return cls(
            name=rule.name,
            kind=rule.schedule_type,
            times=", ".join(config.get("times", ["09:00"])),
            days=[str(day) for day in config.get("days_of_week", range(1, 6))],
            every=str(every // UNITS[unit]),
            unit=unit,
            begins=str(config.get("from", "")),
            once_day=once_day,
            once_time=once_time,
            expression=config.get("expression", cls.expression),
            timezone=config.get("timezone", viewer.zone.key),
            jitter=str(-(-int(config.get("jitter_seconds", 0)) // 60)),
            title=content.get("title", ""),
            description=content.get("description", ""),
            profile=content.get("profile") or "",
            illustrate=bool(content.get("illustrate")),
            targets=rule.platforms,
            is_active=rule.is_active,
            etag=etag,
        )

    @classmethod
    async def sent(cls, desk: Desk) -> "RuleForm":
        """Return the form as a browser has sent it."""
        fields = await desk.form()
        texts = {name: fields.get(name, "").strip() for name in cls.__dataclass_fields__ if name in fields}
        flags = {name: name in fields for name in ("illustrate", "is_active")}
        given: dict[str, Any] = texts | flags
        given["days"], given["targets"] = await desk.chosen("days"), await desk.chosen("targets")
        given.pop("problems", None)
        form = cls(**given)
        form.kind = form.kind if form.kind in KINDS else "daily"
        return form

    def schedule(self, viewer: Viewer) -> dict[str, Any]:
        """Return `schedule_config`. What can't be read is left to whoever checks it."""
        if self.kind == "once":
            return {"at": self._once(viewer)}
        jitter = {"jitter_seconds": _number(self.jitter or "0", 60)}
        if self.kind == "interval":
            begins = {"from": self.begins} if self.begins else {}
            return {"every_minutes": _number(self.every, UNITS.get(self.unit, 1)), **begins, **jitter}
        on_the_clock = {"timezone": self.timezone or viewer.zone.key, **jitter}
        if self.kind == "cron":
            return {"expression": self.expression, **on_the_clock}
        times = [_clock(each) for each in self.times.replace(";", ",").replace(" ", ",").split(",") if each]
        if self.kind == "weekly":
            return {"times": times, "days_of_week": [int(day) for day in self.days if day.isdigit()], **on_the_clock}
        return {"times": times, **on_the_clock}

    def values(self, viewer: Viewer) -> dict[str, Any]:
        """Return the body of the rule."""
        return {
            "name": self.name,
            "schedule_type": self.kind,
            "schedule_config": self.schedule(viewer),
            "content_config": {
                "title": self.title,
                "description": self.description,
                "profile": self.profile or None,
                "illustrate": self.illustrate,
            },
            "platforms": list(self.targets),
            "is_active": self.is_active,
        }

    def refuse(self, problem: Problem) -> None:
        """Note at which fields what is wrong."""
        self.problems = {_field_of(str(each.get("pointer", ""))): str(each["detail"]) for each in problem.errors or ()}
        if not self.problems:
            self.problems = {"": str(problem)}

    def _once(self, viewer: Viewer) -> str:
        try:
            day, clock = date.fromisoformat(self.once_day), time.fromisoformat(self.once_time)
        except ValueError:
            return f"{self.once_day} {self.once_time}".strip()
        return wall_time(day, clock, viewer.zone).at.isoformat()


def _field_of(pointer: str) -> str:
    """Return the name of the field that a JSON pointer of the body means; nothing where it means the whole."""
    named = {
        "times": "times",
        "days_of_week": "days",
        "every_minutes": "every",
        "at": "once",
        "expression": "expression",
        "timezone": "timezone",
        "jitter_seconds": "jitter",
        "title": "title",
        "description": "description",
        "profile": "profile",
        "platforms": "targets",
        "name": "name",
    }
    return next((named[part] for part in pointer.split("/") if part in named), "")


def _clock(given: str) -> str:
    """Return a time with two figures for its hour: 9:00 is 09:00."""
    return given.zfill(5) if given[1:2] == ":" else given


def _number(given: str, size: int) -> int | str:
    try:
        return round(float(given.replace(",", ".")) * size)
    except (ValueError, OverflowError):
        return given
