"""Files of the repository that follow from something else: written by a command, compared with --check."""

import argparse
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path


def stale(wanted: Mapping[Path, str], present: Iterable[Path] = ()) -> list[str]:
    """Return the names of the files that are missing, stale or, of those that are `present`, left over."""
    changed = [path for path, text in wanted.items() if not path.exists() or path.read_text("utf-8") != text]
    return sorted(path.name for path in {*changed, *(set(present) - wanted.keys())})


def write_or_check(wanted: Mapping[Path, str], *, what: str, source: str, present: Iterable[Path] = ()) -> int:
    """Write the files, or with --check only say whether they are what their source says; return the exit code."""
    parser = argparse.ArgumentParser(description=f"Generate {what}.")
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 where a file is stale")
    if parser.parse_args().check:
        names = stale(wanted, present)
        for name in names:
            print(f"{name} is not what {source}: run `make contracts`", file=sys.stderr)
        return 1 if names else 0
    for path, text in wanted.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", newline="\n")
    return 0
