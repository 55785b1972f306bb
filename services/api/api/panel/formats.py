"""Numbers, money and times as a person reads them, by their language and zone."""

from datetime import UTC, date, datetime
from typing import Literal

from babel.dates import format_date, format_datetime, format_time, format_timedelta
from babel.numbers import format_compact_decimal, format_currency, format_decimal, format_percent
from markupsafe import Markup

from api.panel.viewer import Viewer

Form = Literal["short", "time", "clock", "date", "full"]
SECOND, MINUTE, HOUR, DAY = 1, 60, 3600, 86400
UNITS = {
    "en": ((DAY, "d"), (HOUR, "h"), (MINUTE, "min"), (SECOND, "s")),
    "ru": ((DAY, "д"), (HOUR, "ч"), (MINUTE, "мин"), (SECOND, "с")),
}


class Formats:
    """How one viewer reads values."""

    def __init__(self, viewer: Viewer) -> None:
        self._language = viewer.language
        self._zone = viewer.zone

    def number(self, value: float, *, digits: int | None = None) -> str:
        """Return a number with its thousands apart; `digits`: so many after the point."""
        pattern = None if digits is None else f"#,##0.{'0' * digits}" if digits else "#,##0"
        return format_decimal(value, pattern, locale=self._language)

    def compact(self, value: float) -> str:
        """Return a number of three or four signs: 12K."""
        return format_compact_decimal(value, fraction_digits=1, locale=self._language)

    def share(self, value: float) -> str:
        """Return a share from 0 to 1 as a percentage."""
        return format_percent(value, locale=self._language)

    def money(self, usd: float) -> str:
        """Return US dollars: to the cent, or where it is less than ten cents to the hundredth of one."""
        pattern = "¤#,##0.00" if abs(usd) >= 0.1 or not usd else "¤#,##0.0000"
        return format_currency(usd, "USD", pattern, locale=self._language, currency_digits=False)

    def span(self, seconds: float | None) -> str:
        """Return a duration in its largest unit: 14 min. None: a dash."""
        if seconds is None:
            return "–"
        for size, unit in UNITS[self._language]:
            if abs(seconds) >= size:
                return f"{int(seconds // size)}\N{NO-BREAK SPACE}{unit}"
        return f"0\N{NO-BREAK SPACE}{UNITS[self._language][-1][1]}"

    def local(self, moment: datetime) -> datetime:
        """Return a moment in the viewer's zone."""
        return moment.astimezone(self._zone)

    def at(self, moment: datetime | date, form: Form = "short") -> str:
        """Return a moment in the viewer's zone.

        `short` is 23 Nov, 14:16; `time` 14:16; `clock` 14:16:05; `date` 23 November 2026; `full` all of it.
        """
        if not isinstance(moment, datetime):
            return format_date(moment, "d MMMM y", locale=self._language)
        there = self.local(moment)
        match form:
            case "time":
                return format_time(there, "HH:mm", locale=self._language)
            case "clock":
                return format_time(there, "HH:mm:ss", locale=self._language)
            case "date":
                return format_date(there, "d MMMM y", locale=self._language)
            case "full":
                return format_datetime(there, "d MMMM y, HH:mm:ss zzz", locale=self._language)
            case _:
                this_year = there.year == datetime.now(self._zone).year
                return format_datetime(there, "d MMM, HH:mm" if this_year else "d MMM y, HH:mm", locale=self._language)

    def ago(self, moment: datetime) -> Markup:
        """Return how long ago, or in how long, with the exact moment on hover. The open page keeps it true."""
        away = moment - datetime.now(UTC)
        said = format_timedelta(away, threshold=1.4, add_direction=True, format="short", locale=self._language)
        return Markup('<time datetime="{}" title="{}" data-ago>{}</time>').format(
            moment.astimezone(UTC).isoformat(), self.at(moment, "full"), said
        )

    def moment(self, moment: datetime, form: Form = "short") -> Markup:
        """Return a moment as a <time> with the exact one on hover."""
        return Markup('<time datetime="{}" title="{}">{}</time>').format(
            moment.astimezone(UTC).isoformat(), self.at(moment, "full"), self.at(moment, form)
        )
