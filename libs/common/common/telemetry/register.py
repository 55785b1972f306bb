"""What a metric is: its name, type, labels, unit and meaning, said once. The register itself is names.py.

Names follow https://prometheus.io/docs/practices/naming/: the unit is in the name, a counter's series ends in `_total`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily

Values: TypeAlias = Mapping[tuple[str, ...], float]  # by the values of its labels, in their order
SECONDS = (0.005, 0.025, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800)


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `exported_by` names the service, or says that it is every one."""

    kind: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]

    name: str
    labels: tuple[str, ...]
    unit: str
    exported_by: str
    help: str

    @property
    def series(self) -> tuple[str, ...]:
        """The names under which Prometheus keeps it, the one that people ask for first."""
        return tuple(f"{self.name}{suffix}" for suffix in self.suffixes)


@dataclass(frozen=True, slots=True)
class CounterMetric(Metric):
    """A number that only rises."""

    kind: ClassVar[str] = "counter"
    suffixes: ClassVar[tuple[str, ...]] = ("_total", "_created")

    def on(self, registry: CollectorRegistry) -> Counter:
        """Make it, in the registry of a service."""
        return Counter(self.name, self.help, self.labels, registry=registry)


@dataclass(frozen=True, slots=True)
class GaugeMetric(Metric):
    """A number that rises and falls."""

    kind: ClassVar[str] = "gauge"
    suffixes: ClassVar[tuple[str, ...]] = ("",)

    def on(self, registry: CollectorRegistry) -> Gauge:
        """Make it, in the registry of a service."""
        return Gauge(self.name, self.help, self.labels, registry=registry)

    def of(self, values: Values) -> GaugeMetricFamily:
        """Return it as a collector tells it that has just read what it measures."""
        family = GaugeMetricFamily(self.name, self.help, labels=self.labels)
        for labels, value in values.items():
            family.add_metric(labels, value)
        return family


@dataclass(frozen=True, slots=True)
class HistogramMetric(Metric):
    """How many observations lie below each of its bounds, their sum and their number."""

    kind: ClassVar[str] = "histogram"
    suffixes: ClassVar[tuple[str, ...]] = ("_bucket", "_sum", "_count", "_created")

    bounds: tuple[float, ...] = field(default=SECONDS)

    def on(self, registry: CollectorRegistry) -> Histogram:
        """Make it, in the registry of a service."""
        return Histogram(self.name, self.help, self.labels, registry=registry, buckets=self.bounds)
