"""`python -m deploy.observability.generate [--check]`: docs/metrics.md and the Grafana dashboard.

Both follow from the register of metrics, common/telemetry/names.py.
"""

import argparse
import sys
from pathlib import Path

from deploy.observability import dashboard, reference

HERE = Path(__file__).parent
REFERENCE = HERE.parents[1] / "docs" / "metrics.md"
DASHBOARD = HERE / "grafana" / "dashboards" / "postroom.json"


def generated() -> dict[Path, str]:
    """Return every generated file with its contents."""
    return {REFERENCE: reference.document(), DASHBOARD: dashboard.document()}


def drift() -> list[str]:
    """Return the generated files that are missing or stale."""
    wanted = generated().items()
    return [path.name for path, text in wanted if not path.exists() or path.read_text("utf-8") != text]


def main() -> int:
    """Write the files, or with --check only say whether they are what they should be."""
    parser = argparse.ArgumentParser(description="Generate docs/metrics.md and the dashboard from the register.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file is stale")
    if parser.parse_args().check:
        stale = drift()
        for name in stale:
            print(f"{name} is not what the register says: run `make contracts`", file=sys.stderr)
        return 1 if stale else 0
    for path, text in generated().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
