"""`postroom status`: how the whole system is."""

from typing import Any

import typer

from common.contracts import topology
from common.postgres import Queries
from common.reconciliation import STATES, reconcile
from postroom.connections import System, connected
from postroom.output import Json, ago, counted, print_json, print_table, run


def status(as_json: Json = False, notifications: int = typer.Option(5, help="How many to show.", min=0)) -> None:
    """Show services, the funnel per source, queues, sources and the latest notifications."""
    found = run(lambda: _status(notifications))
    if as_json:
        print_json(found)
        return
    _print(found)


async def _status(notifications: int) -> dict[str, Any]:
    sql = Queries.load("postroom", "stack.sql")
    async with connected() as system:
        report = await reconcile(system.database, idle=False)
        rows = {
            "services": await system.database.fetch(sql["services"]),
            "queues": await system.database.fetch(sql["queues"]),
            "sources": await system.database.fetch(sql["sources"]),
            "notifications": await system.database.fetch(sql["notifications"], notifications),
            "pauses": await system.database.fetch(sql["pauses"]),
            "stopped_accounts": await system.database.fetch(sql["stopped_accounts"]),
        }
        backlog = await _backlog(system)
    found: dict[str, Any] = {name: [dict(row) for row in records] for name, records in rows.items()}
    for queue in found["queues"]:
        queue.update(backlog.get(queue["queue"], {"waiting": 0, "in_flight": 0}))
    return {"posts": report.to_json(), **found}


async def _backlog(system: System) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for durable in topology().durables():  # several may share a queue
        info = await system.stream.consumer_info(durable.stream, durable.name)
        queue = found.setdefault(durable.queue, {"waiting": 0, "in_flight": 0})
        queue["waiting"] += info.num_pending or 0
        queue["in_flight"] += info.num_ack_pending or 0
    return found


def _print(found: dict[str, Any]) -> None:
    posts = found["posts"]
    if not found["services"]:
        typer.echo("No service beats. Start them with `make run` or `postroom run SERVICE`.\n")
    print_table(
        ("Service", "State", "Health", "Up since"),
        (
            (
                row["service"],
                "ready" if row["ready"] else f"NOT READY: {row['detail']}",
                row["address"],
                row["started_at"],
            )
            for row in found["services"]
        ),
    )
    columns = ("collected", *STATES)
    print_table(
        ("Posts from", *columns),
        [
            *((name, *(counts[column] for column in columns)) for name, counts in posts["sources"].items()),
            ("all", *(posts["total"][column] for column in columns)),
        ],
        gap=True,
    )
    for problem in posts["problems"]:
        typer.echo(f"! {problem}")
    print_table(
        ("Queue", "waiting", "in flight", "succeeded", "failed", "cancelled", "avg s", "avg retries"),
        (
            (row["queue"], row["waiting"], row["in_flight"], row["succeeded"], row["failed"], row["cancelled"],
             row["average_seconds"], row["average_retries"])
            for row in found["queues"]
        ),
        gap=True,
    )  # fmt: skip
    print_table(
        ("Source", "read", "problem"),
        (
            (row["title"] or row["address"], ago(row["last_run_at"]),
             f"{row['last_error']} ({row['failures']} in a row)" if row["last_error"] else "")
            for row in found["sources"]
        ),
        gap=True,
    )  # fmt: skip
    print_table(
        ("Notification", "count", "last"),
        (
            (f"{row['severity']}: {row['title']}", row["count"], ago(row["last_at"]))
            for row in found["notifications"]
        ),
        gap=True,
    )  # fmt: skip
    _print_images_broadcasts_and_plans(found)
    if posts["dead_letters"]:
        are = "is" if posts["dead_letters"] == 1 else "are"
        typer.echo(f"\n{counted(posts['dead_letters'], 'job')} {are} in the dead letters: `postroom dead list`")


def _print_images_broadcasts_and_plans(found: dict[str, Any]) -> None:
    images, broadcasts = found["posts"]["images"], found["posts"]["broadcasts"]
    print_table(
        ("Images", "generated", "failed", "fetched", "not fetched"),
        [("", images["generated"], images["failed"], images["fetched"], images["not_fetched"])] * any(images.values()),
        gap=True,
    )
    print_table(
        ("Broadcasts", "open", "done", "failed", "cancelled", "messages sent", "errors", "skipped"),
        [("", *(broadcasts[name] for name in ("open", "done", "failed", "cancelled", "sent", "errors", "skipped")))]
        * any(broadcasts.values()),
        gap=True,
    )
    scheduled = found["posts"]["scheduled"]
    columns = ("scheduled", "publishing", "published", "failed", "cancelled")
    print_table(
        ("Scheduled posts", "waiting", *columns[1:]),
        [("", *(scheduled[name] for name in columns))] * any(scheduled.values()),
        gap=True,
    )
    for pause in found["pauses"]:
        reason = f": {pause['reason']}" if pause["reason"] else ""
        until = f" until {pause['until']:%Y-%m-%d %H:%M} UTC" if pause["until"] else ""
        typer.echo(f"! {pause['queue']} is paused{until} by {pause['paused_by']}{reason}")
    for account in found["stopped_accounts"]:
        typer.echo(f"! account {account['name']} was stopped: {account['stopped_reason']}")
