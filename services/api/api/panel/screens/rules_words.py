"""When a rule runs, in words."""

from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from typing import Any

from babel.dates import format_datetime, get_day_names
from babel.lists import format_list
from pydantic import ValidationError

from api.panel.viewer import Viewer
from api.panel.words import translations
from common.planning.schedules import CronLine, Daily, Interval, Once, Schedule, Weekly, read_schedule

EVERY_DAY, WEEKDAYS, WEEKEND = frozenset(range(1, 8)), frozenset(range(1, 6)), frozenset((6, 7))
HOUR, DAY = 60, 1440
MOST_TIMES = 6  # of a cron line that are named one by one


class ScheduleWords:
    """Says schedules in the language of who reads them."""

    def __init__(self, viewer: Viewer) -> None:
        self._viewer = viewer
        catalogue = translations(viewer.language)
        self._ = catalogue.gettext
        self.ngettext = catalogue.ngettext

    def __call__(self, kind: str, config: Mapping[str, Any]) -> str:
        """Return what a schedule says: every weekday at 09:00, Europe/Berlin."""
        try:
            schedule = read_schedule(kind, config)
        except (ValidationError, KeyError):
            return self._("a schedule that can't be read")
        said = self._said(schedule)
        if isinstance(schedule, Daily | Weekly | CronLine):
            said = f"{said}, {schedule.timezone}"
        jitter = 0 if isinstance(schedule, Once) else schedule.jitter_seconds
        if jitter:
            late = self.ngettext("up to %(num)s minute later", "up to %(num)s minutes later", -(-jitter // 60))
            said = f"{said}, {late % {'num': -(-jitter // 60)}}"
        return said

    def _said(self, schedule: Schedule) -> str:
        match schedule:
            case Once():
                there = schedule.at.astimezone(self._viewer.zone)
                when = format_datetime(there, "d MMMM y, HH:mm", locale=self._viewer.language)
                return self._("once, %(when)s") % {"when": f"{when} {self._viewer.zone.key}"}
            case Interval():
                return self._every(schedule.every_minutes)
            case Daily():
                return self._on(EVERY_DAY, schedule.times)
            case Weekly():
                return self._on(schedule.days_of_week, schedule.times)
            case CronLine():
                return self._cron(schedule)

    def _every(self, minutes: int) -> str:
        if minutes % DAY == 0:
            days = minutes // DAY
            said = self._("every day") if days == 1 else self.ngettext("every %(num)s day", "every %(num)s days", days)
            return said % {"num": days}
        if minutes % HOUR == 0:
            hours = minutes // HOUR
            if hours == 1:
                return self._("every hour")
            return self.ngettext("every %(num)s hour", "every %(num)s hours", hours) % {"num": hours}
        if minutes == 1:
            return self._("every minute")
        return self.ngettext("every %(num)s minute", "every %(num)s minutes", minutes) % {"num": minutes}

    def _on(self, days: Collection[int], times: Sequence[str]) -> str:
        at = format_list(sorted(set(times)), locale=self._viewer.language)
        match frozenset(days):
            case each if each == EVERY_DAY:
                return self._("every day at %(times)s") % {"times": at}
            case each if each == WEEKDAYS:
                return self._("every weekday at %(times)s") % {"times": at}
            case each if each == WEEKEND:
                return self._("at weekends at %(times)s") % {"times": at}
            case each:
                return self._("on %(days)s at %(times)s") % {"days": self._days(each), "times": at}

    def _days(self, days: Collection[int]) -> str:
        _ = self._
        names = (
            _("Mondays"),
            _("Tuesdays"),
            _("Wednesdays"),
            _("Thursdays"),
            _("Fridays"),
            _("Saturdays"),
            _("Sundays"),
        )
        return format_list([names[day - 1] for day in sorted(days)], locale=self._viewer.language)

    def _cron(self, schedule: CronLine) -> str:
        line = schedule.parsed
        every_month, every_date = len(line.months) == 12, len(line.days) == 31
        times = [f"{hour:02}:{minute:02}" for hour, minute in product(line.hours, line.minutes)]
        if every_month and every_date and len(times) <= MOST_TIMES:
            return self._on(line.weekdays, times)
        if every_month and every_date and line.weekdays == EVERY_DAY and len(line.hours) == 24:
            step = HOUR // len(line.minutes)
            if HOUR % len(line.minutes) == 0 and list(line.minutes) == list(range(0, HOUR, step)):
                return self._every(step)
        if every_month and line.weekdays == EVERY_DAY and len(times) <= MOST_TIMES and len(line.days) <= MOST_TIMES:
            language = self._viewer.language
            dates = format_list([str(day) for day in sorted(line.days)], locale=language)
            said = self._("every month on day %(days)s at %(times)s")
            return said % {"days": dates, "times": format_list(times, locale=language)}
        return self._("by the cron line %(line)s") % {"line": schedule.expression}


def long_date(viewer: Viewer, moment: datetime) -> str:
    """Return the day of a moment in the viewer's zone, with its weekday."""
    return format_datetime(moment.astimezone(viewer.zone), "EEE d MMMM y", locale=viewer.language)


def day_name(viewer: Viewer, number: int) -> str:
    """Return the name of a day of the week; 1 is Monday."""
    name: str = get_day_names("wide", "stand-alone", viewer.language)[number - 1]
    return name[:1].upper() + name[1:]


def parted(moment: datetime | None, viewer: Viewer) -> tuple[str, str]:
    """Return a moment as the fields of a form have it: its day and its time, in the viewer's zone."""
    if moment is None:
        return "", ""
    there = moment.astimezone(UTC).astimezone(viewer.zone)
    return f"{there:%Y-%m-%d}", f"{there:%H:%M}"
