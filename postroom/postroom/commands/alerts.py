"""`postroom alerts`: what is wrong, or was."""

from dataclasses import asdict
from typing import Annotated

import typer

from common.alerts import Alert, Alerts
from common.audit import record
from common.postgres import Within
from postroom.connections import connected
from postroom.output import Json, print_json, print_table, run
from postroom.person import person

app = typer.Typer(invoke_without_command=True, help="What is wrong, or was: list, show, acknowledge.")

AlertId = Annotated[str, typer.Argument(metavar="ALERT_ID", help="The id of an alert, or the beginning of it.")]
All = Annotated[bool, typer.Option("--all", help="Those that are over, too.")]
Limit = Annotated[int, typer.Option(help="The latest so many.", min=1)]


@app.callback()
def alerts(context: typer.Context, everything: All = False, limit: Limit = 50, as_json: Json = False) -> None:
    """List what is wrong, those that fire first."""
    if context.invoked_subcommand:
        return

    async def find() -> list[Alert]:
        async with connected() as system:
            return await Alerts(system.database).latest(None if everything else "firing", limit=limit)

    found = run(find)
    if as_json:
        print_json([asdict(alert) for alert in found])
    elif not found:
        typer.echo("No alerts.")
    else:
        print_table(
            ("Alert", "Since", "State", "Count", "Seen by", "What"),
            (
                (alert.id, alert.since, alert.status, alert.count, alert.acknowledged_by,
                 f"{alert.severity}: {alert.title}")
                for alert in found
            ),
        )  # fmt: skip


@app.command()
def show(alert_id: AlertId, as_json: Json = False) -> None:
    """Show one alert."""

    async def get() -> Alert:
        async with connected() as system:
            found = Alerts(system.database)
            return await found.get(await found.find(alert_id))

    _print(run(get), as_json=as_json)


@app.command()
def acknowledge(alert_id: AlertId, as_json: Json = False) -> None:
    """Say that you have seen an alert. It fires on, and is over when it is over."""

    async def work() -> Alert:
        async with connected() as system, system.database.transaction() as connection:
            found = Alerts(within := Within(connection))
            before = await found.get(await found.find(alert_id))
            after = await found.acknowledge(before.id, person())
            path = f"/api/v1/alerts/{before.id}/acknowledge"
            seen = {"acknowledged_by": after.acknowledged_by}
            await record(within, person(), "acknowledge_alert", path, after=seen)
            return after

    _print(run(work), as_json=as_json)


def _print(alert: Alert, *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(alert))
        return
    for name, value in asdict(alert).items():
        if name not in ("title", "detail") and value is not None:
            typer.echo(f"{name.replace('_', ' '):<16} {value}")
    typer.echo(f"\n{alert.severity.upper()}: {alert.title}\n{alert.detail}")
