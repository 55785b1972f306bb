"""docs/metrics.md: every metric with its type, labels, unit and meaning, from the register."""

from common.telemetry import names
from common.telemetry.register import Metric

HEAD = """# Metrics

<!-- Generated from libs/common/common/telemetry/names.py by `make contracts`. -->

Every service tells these at `/metrics` of its health endpoint, in Prometheus' format. Names and labels are a contract:
they change with a note in the changelog. [operating.md](operating.md#metrics-alerts-and-the-dashboard) says how to
watch them; the same numbers from the records, per window, are at `GET /api/v1/metrics` and in `postroom status`.

A counter is kept by Prometheus as `…_total`; a histogram as `…_bucket`, `…_sum` and `…_count`.
"""


def document() -> str:
    """Return the page as it is committed."""
    metrics = names.registered()
    groups = dict.fromkeys(metric.exported_by for metric in metrics)
    parts = [HEAD]
    for group in groups:
        parts.append(f"\n## {_title(group)}\n\n| Metric | Type | Labels | Unit | |\n|---|---|---|---|---|\n")
        parts += [_row(metric) for metric in metrics if metric.exported_by == group]
    parts.append("\n## Of each process\n\n")
    parts.append(f"{', '.join(f'`{name}`' for name in names.PROCESS)}, where the system tells them.\n")
    parts.append("\n## Labels\n\n| Label | |\n|---|---|\n")
    parts += [f"| `{label}` | {meaning} |\n" for label, meaning in sorted(names.LABELS.items())]
    return "".join(parts)


def _title(group: str) -> str:
    return group[0].upper() + group[1:] if group == names.EVERY else group


def _row(metric: Metric) -> str:
    name = metric.series[0] if metric.kind == "counter" else metric.name
    labels = ", ".join(f"`{label}`" for label in metric.labels) or "–"
    return f"| `{name}` | {metric.kind} | {labels} | {metric.unit} | {metric.help} |\n"
