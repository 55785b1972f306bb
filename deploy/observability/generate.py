"""`python -m deploy.observability.generate [--check]`: docs/metrics.md and the Grafana dashboard.

Both follow from the register of metrics, common/telemetry/names.py.
"""

import sys
from pathlib import Path

from deploy.observability import dashboard, reference

from common.contracts.generated import stale, write_or_check

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "docs" / "metrics.md"
DASHBOARD = HERE / "grafana" / "dashboards" / "postroom.json"


def generated() -> dict[Path, str]:
    """Return every generated file with its contents."""
    return {REFERENCE: reference.document(), DASHBOARD: dashboard.document()}


def drift() -> list[str]:
    """Return the generated files that are missing or stale."""
    return stale(generated())


def main() -> int:
    """Write the files, or with --check only say whether they are what they should be."""
    what = "docs/metrics.md and the dashboard from the register"
    return write_or_check(generated(), what=what, source="the register says")


if __name__ == "__main__":
    sys.exit(main())
