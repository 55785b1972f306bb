"""`postroom operations`: what is done to many jobs or dead letters at once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from common.audit import record
from common.operations import Operation, Operations
from common.postgres import Within
from postroom.connections import connected
from postroom.output import Json, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="What is done to many jobs or dead letters: list, show, cancel.")

STATUSES = ("pending", "running", "done", "failed", "cancelled")

OperationId = Annotated[UUID, typer.Argument(metavar="OPERATION_ID", help="The id of an operation.")]


@app.command("list")
def list_operations(
    status: Annotated[str | None, typer.Option(help=f"Only these: {', '.join(STATUSES)}.")] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """List operations, the newest first."""
    if status not in (None, *STATUSES):
        raise typer.BadParameter(f"{status} is not one of {', '.join(STATUSES)}", param_hint="--status")

    async def find() -> list[Operation]:
        async with _operations() as operations:
            return await operations.latest(limit=limit, status=status)

    found = run(find)
    if as_json:
        print_json([asdict(each) for each in found])
    elif not found:
        typer.echo("No operations.")
    else:
        print_table(
            ("Operation", "Asked for", "By", "What", "Status", "Done", "Refused", "Of"),
            (
                (each.id, each.created_at, each.created_by, each.kind, each.status, each.done, each.refused, each.total)
                for each in found
            ),
        )


@app.command()
def show(operation_id: OperationId, as_json: Json = False) -> None:
    """Show one operation: how far it is, and what was refused."""

    async def get() -> Operation:
        async with _operations() as operations:
            return await operations.get(operation_id)

    found = run(get)
    if as_json:
        print_json(asdict(found))
        return
    for name, value in asdict(found).items():
        if value not in (None, "", []) and name not in ("refusals", "position", "step"):
            typer.echo(f"{name.replace('_', ' '):<12} {value}")
    print_table(("Refused", "Because"), ((each["key"], each["reason"]) for each in found.refusals), gap=True)


@app.command()
def cancel(operation_id: OperationId, as_json: Json = False) -> None:
    """Let an operation stop after the step that is under way."""

    async def work() -> Operation:
        async with connected() as system, system.database.transaction() as connection:
            within = Within(connection)
            found = await Operations(within, {}).cancel(operation_id, by=person())
            path = f"/api/v1/operations/{operation_id}/cancel"
            await record(within, person(), "cancel_operation", path, after={"status": found.status, "done": found.done})
            return found

    found = run(work)
    if as_json:
        print_json(asdict(found))
    else:
        typer.echo(f"Operation {found.id} {'is cancelled' if found.ended else 'stops after this step'}.")


@asynccontextmanager
async def _operations() -> AsyncIterator[Operations]:
    async with connected() as system:
        yield Operations(system.database, {})
