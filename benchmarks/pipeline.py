"""The whole pipeline on a slice of the corpus: posts a second, CPU per post, memory of each process."""

import asyncio
import json
import subprocess
import sysconfig
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg

from benchmarks.corpus import corpus_slice
from benchmarks.sampling import Sampler, Usage
from embedded import PostgresServer

PATIENCE_SECONDS = 1800.0
PROGRESS_SECONDS = 10.0
SPAN = """
SELECT extract(epoch FROM (SELECT min(collected_at) FROM posts))::float8 AS begin,
       extract(epoch FROM (SELECT max(finished_at) FROM publications))::float8 AS end
"""


class PipelineFailed(Exception):
    """The run did not come to its end, or did not balance; the message ends with what it said."""


def measure_pipeline(*, posts_per_channel: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Run it once and return the figures. Raises NoCorpus or PipelineFailed."""
    with tempfile.TemporaryDirectory(prefix="postroom-bench-") as directory:
        home = Path(directory)
        corpus = home / "corpus"
        corpus.mkdir()
        posts = corpus_slice(corpus, posts_per_channel)
        say(f"pipeline: {posts} posts of the corpus")
        sampler = Sampler(home / ".postroom" / "running.json")
        began = time.monotonic()
        with sampler.sampling() as usage:
            report = run_to_the_end(home, corpus, say)
        whole = time.monotonic() - began
        begin, end = asyncio.run(span(home / "data"))
    return summarise(report, usage, begin, end, whole)


def run_to_the_end(home: Path, corpus: Path, say: Callable[[str], None]) -> dict[str, Any]:
    """Run `postroom up --until-idle` in a directory of its own and return its report. Raises PipelineFailed."""
    command = [str(Path(sysconfig.get_path("scripts")) / "postroom"), "up", "--until-idle"]
    command += ["--corpus", str(corpus), "--report", "report.json", "--data", "data"]
    output = home / "output.log"
    began = time.monotonic()
    with output.open("wb") as log:
        process = subprocess.Popen(command, cwd=home, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        while process.poll() is None:
            try:
                process.wait(PROGRESS_SECONDS)
            except subprocess.TimeoutExpired:
                say(f"pipeline: running for {time.monotonic() - began:.0f} s")
            if time.monotonic() - began > PATIENCE_SECONDS:
                raise PipelineFailed(f"not idle within {PATIENCE_SECONDS:.0f} s:\n{tail(output)}")
    finally:
        process.terminate()
        process.wait()
    if process.returncode:
        raise PipelineFailed(f"postroom up ended with exit code {process.returncode}:\n{tail(output)}")
    report: dict[str, Any] = json.loads((home / "report.json").read_text(encoding="utf-8"))
    return report


async def span(data: Path) -> tuple[float, float]:
    """Return when the first post came in and when the last one was published, in seconds since the epoch."""
    server = PostgresServer(data / "postgres").start()
    try:
        connection = await asyncpg.connect(server.dsn)
        row = await connection.fetchrow(SPAN)
        await connection.close()
    finally:
        server.stop()
    assert row
    return row["begin"], row["end"]


def summarise(report: dict[str, Any], usage: Usage, begin: float, end: float, whole: float) -> dict[str, Any]:
    """Return the figures, flat, and beneath them those of each process. CPU is that of the span, without the start."""
    total = report["total"]
    posts = total["collected"]
    cpu = {name: seconds * 1000 / posts for name, seconds in usage.cpu_between(begin, end).items()}
    return {
        "posts_per_second": round(posts / (end - begin), 1),
        "cpu_ms_per_post": round(sum(cpu.values()), 2),
        "cpu_ms_per_post_without_sandbox": round(sum(cpu.values()) - cpu.get("sandbox", 0.0), 2),
        "cpu_ms_per_post_by_process": {name: round(value, 2) for name, value in sorted(cpu.items())},
        "peak_memory_mib": {name: round(size / 2**20, 1) for name, size in sorted(usage.peak_memory.items())},
        "pipeline_seconds": round(end - begin, 2),
        "pipeline_seconds_with_start_and_stop": round(whole, 2),
        "pipeline_report": total,
    }


def tail(output: Path, lines: int = 20) -> str:
    """Return the last lines of what a command said."""
    return "\n".join(output.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])
