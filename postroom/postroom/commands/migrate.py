"""`postroom migrate`: bring the database and the streams up to date."""

import typer

from common.contracts import topology
from common.messaging.streams import migrate_topology
from common.postgres import migrate as migrate_database
from postroom.connections import addresses, connect_nats
from postroom.output import Json, print_json, run


def migrate(
    as_json: Json = False, replicas: int = typer.Option(1, help="Replicas of each stream.", min=1, max=5)
) -> None:
    """Bring the database (DATABASE_URL) and the streams and durables (NATS_URL) up to date. Safe to repeat."""
    applied, created = run(lambda: _migrate(replicas))
    if as_json:
        print_json({"migrations": applied, "streams_and_durables": created})
        return
    typer.echo(f"database: {', '.join(applied) or 'up to date'}")
    typer.echo(f"streams and durables: {', '.join(created) or 'up to date'}")


async def _migrate(replicas: int) -> tuple[list[str], list[str]]:
    database_url, nats_url = addresses()
    applied = await migrate_database(database_url)
    client = await connect_nats(nats_url)
    try:
        return applied, await migrate_topology(client.jetstream(), topology(), replicas=replicas)
    finally:
        await client.close()
