"""`make bench`: measure, print, and write benchmarks/results/latest.json."""

import argparse
import sys
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import report
from benchmarks.corpus import REPOSITORY, NoCorpus
from benchmarks.hop import RunFailed, measure_hop
from benchmarks.pipeline import PipelineFailed, measure_pipeline

RESULTS = REPOSITORY / "benchmarks" / "results" / "latest.json"


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure one hop against a bare FastStream hop, and the whole pipeline on real posts.",
        epilog="What the figures mean: benchmarks/README.md. Nothing is asserted; compare runs of a quiet machine.",
    )
    parser.add_argument("--only", choices=("hop", "pipeline"), help="measure, and write, only this part")
    parser.add_argument("--rounds", type=positive, default=5, help="of the hop, both variants in each (default: 5)")
    parser.add_argument("--messages", type=positive, default=5000, help="of each run of the hop (default: 5000)")
    parser.add_argument("--posts", type=positive, default=200, help="of each channel of the corpus (default: 200)")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the results file (default: %(default)s)")
    return parser.parse_args()


def positive(text: str) -> int:
    """Return a number from 1. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) == 0:
        raise argparse.ArgumentTypeError(f"{text} is not a number from 1")
    return int(text)


def main() -> int:
    """Measure what was asked for; the exit code is 1 where a part could not be measured."""
    asked = arguments()
    progress = Console(stderr=True, highlight=False)
    results: dict[str, Any] = report.facts()
    failed = False
    if asked.only != "pipeline":
        try:
            results |= measure_hop(rounds=asked.rounds, messages=asked.messages, say=progress.print)
        except RunFailed as error:
            failed, results["hop_failed"] = True, str(error)
            progress.print(f"hop: {error}", markup=False)
    if asked.only != "hop":
        try:
            results |= measure_pipeline(posts_per_channel=asked.posts, say=progress.print)
        except NoCorpus as reason:
            results["pipeline_skipped"] = str(reason)
            progress.print(f"pipeline: skipped, {reason}", markup=False)
        except PipelineFailed as error:
            failed, results["pipeline_failed"] = True, str(error)
            progress.print(f"pipeline: {error}", markup=False)
    report.write(results, asked.output)
    console = Console()
    report.show(results, console)
    console.print(f"Written to {asked.output}", highlight=False, soft_wrap=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
