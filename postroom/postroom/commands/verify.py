"""`postroom verify`: does everything that came in have its place?"""

from typing import Annotated

import typer

from common import audit
from common.reconciliation import STATES
from common.verification import Finding, Mending, Verification, Verified
from postroom.connections import System, connected
from postroom.output import EXIT_FAILED, Json, counted, print_json, print_table, run
from postroom.person import person


def verify(
    fix: Annotated[bool, typer.Option("--fix", help="Mend what can be mended safely.")] = False,
    as_json: Json = False,
) -> None:
    """Balance what was collected with where it is, and find what nobody carries on.

    Exits with 1 where something does not add up and was not mended.
    """

    async def work() -> Verified:
        async with connected() as system:
            return await _verify(system, fix=fix)

    verified = run(work)
    if as_json:
        print_json(verified.to_json())
    else:
        _print(verified, fix=fix)
    if not verified.balanced:
        raise typer.Exit(EXIT_FAILED)


async def _verify(system: System, *, fix: bool) -> Verified:
    verified = await Verification(system.database, system.stream)()
    with system.rails() as rails:
        mending = Mending(system.nats, system.database, rails)
        if fix:
            verified = await mending(verified)
        await mending.keep(verified)
    if mended := [finding.to_json() for finding in verified.findings if finding.mended]:
        await audit.record(system.database, person(), "verify", "/api/v1/verification", after={"mended": mended})
    return verified


def _print(verified: Verified, *, fix: bool) -> None:
    total = verified.report.total.to_json()
    columns = ("collected", *STATES)
    print_table(columns, [[total[column] for column in columns]])
    for finding in verified.findings:
        typer.echo(f"! {finding.problem}{_end(finding)}")
    if not verified.findings:
        typer.echo("\nEverything adds up.")
        return
    typer.echo(f"\n{counted(len(verified.findings), 'finding')}, {len(verified.open)} of them open.")
    mendable = sum(finding.remedy is not None for finding in verified.open)
    if mendable and not fix:
        typer.echo(f"{counted(mendable, 'finding')} can be mended: `postroom verify --fix`")


def _end(finding: Finding) -> str:
    return ": mended" if finding.mended else f"\n  {finding.advice}"
