"""`postroom status`: how the whole system is."""

from dataclasses import asdict
from typing import Annotated, Any

import typer

from common.metrics import WINDOWS, Window, measure
from common.postgres import Queries
from common.queues.standing import standing
from common.reconciliation import STATES, reconcile
from postroom.connections import connected
from postroom.figures import print_models, print_queues, queue_row
from postroom.output import Json, ago, counted, print_json, print_table, run


def status(
    as_json: Json = False,
    notifications: Annotated[int, typer.Option(help="How many to show.", min=0)] = 5,
    window: Annotated[str, typer.Option(help=f"Times, retries and failures of the last {', '.join(WINDOWS)}.")] = "24h",
) -> None:
    """Show services, the funnel per source, queues, models, sources, alerts and the latest notifications."""
    if window not in WINDOWS:
        raise typer.BadParameter(f"{window} is not one of {', '.join(WINDOWS)}", param_hint="--window")
    found = run(lambda: _status(notifications, window))
    if as_json:
        print_json(found)
        return
    _print(found)


async def _status(notifications: int, window: str) -> dict[str, Any]:
    sql = Queries.load("postroom", "stack.sql")
    async with connected() as system:
        report = await reconcile(system.database, idle=False)
        rows = {
            "services": await system.database.fetch(sql["services"]),
            "sources": await system.database.fetch(sql["sources"]),
            "alerts": await system.database.fetch(sql["alerts"]),
            "notifications": await system.database.fetch(sql["notifications"], notifications),
            "stopped_accounts": await system.database.fetch(sql["stopped_accounts"]),
        }
        queues = await standing(system.database, system.stream)
        figures = await measure(system.database, Window.last(window))
    measured = {each.queue: each for each in figures.queues}
    return {
        "posts": report.to_json(),
        **{name: [dict(row) for row in records] for name, records in rows.items()},
        "window": window,
        "queues": [queue_row(queue, measured[queue.queue]) for queue in queues],
        "models": [asdict(each) for each in figures.models],
        "waits": [asdict(each) for each in figures.waits],
        "lateness": asdict(figures.lateness),
    }


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
    print_queues(found["queues"], found["window"])
    print_models(found["models"], found["window"])
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
    for queue in found["queues"]:
        if pause := queue["pause"]:
            reason = f": {pause['reason']}" if pause["reason"] else ""
            until = f" until {pause['until']:%Y-%m-%d %H:%M} UTC" if pause["until"] else ""
            typer.echo(f"! {queue['queue']} is paused{until} by {pause['paused_by']}{reason}")
    for alert in found["alerts"]:
        typer.echo(f"! {alert['title']}, since {alert['since']:%Y-%m-%d %H:%M} UTC: `postroom alerts`")
    for account in found["stopped_accounts"]:
        typer.echo(f"! account {account['name']} was stopped: {account['stopped_reason']}")
