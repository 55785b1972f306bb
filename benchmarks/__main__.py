"""`make bench`: measure, print, and write benchmarks/results/latest.json."""

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console

from benchmarks import report
from benchmarks.album import AlbumFailed, measure_album
from benchmarks.api import ApiFailed, measure_api
from benchmarks.broadcast import BroadcastFailed, measure_broadcast
from benchmarks.corpus import REPOSITORY, NoCorpus
from benchmarks.dead_letters import measure_dead_letters
from benchmarks.hop import RunFailed, measure_hop
from benchmarks.jobs import measure_jobs
from benchmarks.media import measure_media
from benchmarks.observability import measure_observability
from benchmarks.panel import PanelFailed, measure_panel
from benchmarks.pipeline import PipelineFailed, measure_pipeline
from benchmarks.planning import PlanningFailed, measure_planning

PARTS = ("hop", "pipeline", "media", "broadcast", "album", "planning", "api", "panel", "dead", "jobs", "observability")
FAILURES = (RunFailed, PipelineFailed, BroadcastFailed, AlbumFailed, PlanningFailed, ApiFailed, PanelFailed)
RESULTS = REPOSITORY / "benchmarks" / "results" / "latest.json"


def arguments() -> argparse.Namespace:
    """Return what the command line asks for."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Measure a hop beside a bare FastStream hop, the whole pipeline on real posts, images, broadcasts.",
        epilog="What the figures mean: benchmarks/README.md. Nothing is asserted; compare runs of a quiet machine.",
    )
    parser.add_argument("--only", choices=PARTS, help="measure only this part; the file keeps the others")
    parser.add_argument(
        "--rounds", type=positive, default=5, help="of the hop and the broadcast, both variants in each (default: 5)"
    )
    parser.add_argument("--messages", type=positive, default=5000, help="of each run of the hop (default: 5000)")
    parser.add_argument("--posts", type=positive, default=200, help="of each channel of the corpus (default: 200)")
    parser.add_argument("--images", type=positive, default=300, help="through the object store (default: 300)")
    parser.add_argument("--chats", type=positive, default=300, help="of each broadcast (default: 300)")
    parser.add_argument("--waiting", type=positive, default=100_000, help="scheduled posts that wait (default: 100000)")
    parser.add_argument("--rows", type=positive, default=1_000_000, help="of the query for what is due")
    parser.add_argument(
        "--listed", type=positive, default=100_000, help="posts behind the API and the panel (default: 100000)"
    )
    parser.add_argument("--requests", type=positive, default=2000, help="to the API, of each kind (default: 2000)")
    parser.add_argument("--jobs", type=positive, default=1_000_000, help="in the lists of jobs (default: 1000000)")
    parser.add_argument("--letters", type=positive, default=5000, help="dead letters of a storm (default: 5000)")
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
    say = progress.print
    parts: dict[str, Callable[[], dict[str, Any]]] = {
        "hop": lambda: measure_hop(rounds=asked.rounds, messages=asked.messages, say=say),
        "pipeline": lambda: measure_pipeline(posts_per_channel=asked.posts, say=say),
        "media": lambda: asyncio.run(measure_media(images=asked.images, say=say)),
        "broadcast": lambda: asyncio.run(measure_broadcast(chats=asked.chats, rounds=asked.rounds, say=say)),
        "album": lambda: asyncio.run(measure_album(say=say)),
        "planning": lambda: asyncio.run(measure_planning(waiting=asked.waiting, due=300, rows=asked.rows, say=say)),
        "api": lambda: asyncio.run(measure_api(posts=asked.listed, requests=asked.requests, say=say)),
        "panel": lambda: asyncio.run(measure_panel(posts=asked.listed, say=say)),
        "dead": lambda: asyncio.run(
            measure_dead_letters(letters=asked.letters, requests=asked.requests // 10, say=say)
        ),
        "jobs": lambda: asyncio.run(measure_jobs(jobs=asked.jobs, requests=asked.requests // 10, say=say)),
        "observability": lambda: measure_observability(rounds=asked.rounds, messages=asked.messages, say=say),
    }
    results: dict[str, Any] = report.facts()
    failed = False
    for name, measure in parts.items():
        if asked.only not in (None, name):
            continue
        try:
            results |= measure()
        except NoCorpus as reason:
            results[f"{name}_skipped"] = str(reason)
            progress.print(f"{name}: skipped, {reason}", markup=False)
        except FAILURES as error:
            failed, results[f"{name}_failed"] = True, str(error)
            progress.print(f"{name}: {error}", markup=False)
    results["measured_at"] = dict.fromkeys([asked.only] if asked.only else parts, results["date"])
    report.write(report.merged(results, asked.only, asked.output) if asked.only else results, asked.output)
    console = Console()
    report.show(results, console)
    console.print(f"Written to {asked.output}", highlight=False, soft_wrap=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
