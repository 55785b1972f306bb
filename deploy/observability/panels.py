"""Panels of a Grafana dashboard, as its JSON wants them, laid out from left to right.

https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

COLUMNS = 24  # the width of Grafana's grid
DATASOURCE = {"type": "prometheus", "uid": "${datasource}"}

Json: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Query:
    """A question to Prometheus, and how each of its series is called."""

    expression: str
    legend: str = ""


@dataclass(frozen=True, slots=True)
class Panel:
    """A panel. `unit` is one of Grafana's: short, s, percentunit, bytes, currencyUSD, reqps."""

    kind: str  # timeseries, stat, bargauge
    title: str
    queries: tuple[Query, ...]
    unit: str = "short"
    width: int = 8
    height: int = 8
    description: str = ""
    thresholds: tuple[tuple[float, str], ...] = ()  # from which value on which colour

    def to_json(self, number: int, x: int, y: int) -> Json:
        """Return it at its place."""
        steps: list[Json] = [{"color": "green", "value": None}]
        steps += [{"color": colour, "value": value} for value, colour in self.thresholds]
        defaults: Json = {"unit": self.unit, "thresholds": {"mode": "absolute", "steps": steps}}
        if self.kind == "timeseries":
            defaults |= {"min": 0, "custom": {"fillOpacity": 10, "lineWidth": 1, "showPoints": "never"}}
        return {
            "id": number,
            "type": self.kind,
            "title": self.title,
            "description": self.description,
            "datasource": DATASOURCE,
            "gridPos": {"h": self.height, "w": self.width, "x": x, "y": y},
            "fieldConfig": {"defaults": defaults, "overrides": []},
            "options": OPTIONS[self.kind],
            "targets": [
                {
                    "datasource": DATASOURCE,
                    "expr": query.expression,
                    "legendFormat": query.legend or "__auto",
                    "refId": chr(ord("A") + place),
                    "instant": self.kind != "timeseries",
                    "range": self.kind == "timeseries",
                }
                for place, query in enumerate(self.queries)
            ],
        }


OPTIONS: dict[str, Json] = {
    "timeseries": {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}},
    "stat": {"reduceOptions": {"calcs": ["lastNotNull"]}, "colorMode": "value", "graphMode": "area"},
    "bargauge": {"reduceOptions": {"calcs": ["lastNotNull"]}, "orientation": "horizontal", "displayMode": "basic"},
}


@dataclass(frozen=True, slots=True)
class Row:
    """Panels under a heading."""

    title: str
    panels: tuple[Panel, ...]


def over_time(title: str, *queries: Query, unit: str = "short", width: int = 8, description: str = "") -> Panel:
    """Return a panel with lines."""
    return Panel("timeseries", title, queries, unit, width, description=description)


def now(title: str, query: str, *thresholds: tuple[float, str], unit: str = "short", width: int = 4) -> Panel:
    """Return a panel with one number, whose colour says whether it is well."""
    return Panel("stat", title, (Query(query),), unit, width, height=4, thresholds=thresholds)


def bars(title: str, query: Query, *thresholds: tuple[float, str], unit: str = "short", width: int = 8) -> Panel:
    """Return a panel with a bar for each series."""
    return Panel("bargauge", title, (query,), unit, width, thresholds=thresholds)


def laid_out(rows: Iterable[Row]) -> list[Json]:
    """Return the panels of all rows, each row under the one before."""
    placed: list[Json] = []
    y = 0
    for row in rows:
        place = {"h": 1, "w": COLUMNS, "x": 0, "y": y}
        placed.append({"id": len(placed) + 1, "type": "row", "title": row.title, "collapsed": False, "gridPos": place})
        y = _fill(row.panels, placed, y + 1)
    return placed


def _fill(panels: Sequence[Panel], placed: list[Json], y: int) -> int:
    x = tallest = 0
    for panel in panels:
        if x + panel.width > COLUMNS:
            x, y, tallest = 0, y + tallest, 0
        placed.append(panel.to_json(len(placed) + 1, x, y))
        x, tallest = x + panel.width, max(tallest, panel.height)
    return y + tallest
