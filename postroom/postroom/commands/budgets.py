"""`postroom budgets`: how much may be spent on models, and what is used of it."""

from typing import Annotated, Any

import typer
from pydantic import ValidationError

from common.operations import OperationRunner, Operations
from common.operations.kinds import operation_kinds
from common.settings import SettingsError
from common.spending.budgets import Budget, Budgets, BudgetTerms
from common.spending.stopped import set_free
from postroom.connections import System, connected
from postroom.output import Json, counted, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="Budgets of model calls: list, set, delete.")

Name = Annotated[str, typer.Argument(metavar="NAME", help="The name of the budget.")]


@app.command("list")
def list_budgets(as_json: Json = False) -> None:
    """List budgets, with what is used of them in the period that runs."""

    async def find() -> list[Budget]:
        async with connected() as system:
            return await Budgets(system.database).all()

    found = run(find)
    if as_json:
        print_json([_shown(each) for each in found])
        return
    if not found:
        typer.echo("No budgets.")
    print_table(
        ("Budget", "Of", "Used", "Share", "State", "Begins again (UTC)", "At the limit"),
        (
            (each.name, f"route {each.route}" if each.route else "all calls", each.said(), f"{each.share:.0%}",
             each.state, each.resets_at, _at_limit(each))
            for each in found
        ),
    )  # fmt: skip


@app.command("set")
def set_budget(
    name: Name,
    period: Annotated[str | None, typer.Option(help="day or month; of a new one month.")] = None,
    usd: Annotated[float | None, typer.Option(help="The limit in US dollars; 0: none.")] = None,
    tokens: Annotated[int | None, typer.Option(help="The limit in tokens, of questions and answers; 0: none.")] = None,
    route: Annotated[str | None, typer.Option(help="Only calls for the route of this name; all: all calls.")] = None,
    timezone: Annotated[str | None, typer.Option(help="In which days and months begin; of a new one UTC.")] = None,
    warn_at: Annotated[float | None, typer.Option(help="Tell people from this share on; of a new one 0.8.")] = None,
    stop: Annotated[bool, typer.Option("--stop", help="At the limit ask no model: what needs one waits.")] = False,
    fallback: Annotated[str | None, typer.Option(help="At the limit this model writes.")] = None,
    fallback_image: Annotated[str | None, typer.Option(help="At the limit this model draws.")] = None,
    as_json: Json = False,
) -> None:
    """Set a new budget, or change one: what is left out stays. What was stopped runs again, as far as it may now."""
    if stop and (fallback or fallback_image):
        raise typer.BadParameter("goes with no fallback", param_hint="--stop")
    given: dict[str, Any] = {
        "period": period, "limit_usd": usd, "limit_tokens": tokens, "timezone": timezone, "warn_share": warn_at,
        "fallback_model": fallback, "fallback_image_model": fallback_image,
        "at_limit": "stop" if stop else "fallback" if fallback or fallback_image else None,
    }  # fmt: skip
    given = {key: value for key, value in given.items() if value is not None}

    async def put() -> tuple[Budget, bool, int]:
        async with connected() as system:
            budgets = Budgets(system.database)
            current = next((each for each in await budgets.all() if each.name == name), None)
            values = {field: getattr(current, field) for field in BudgetTerms.model_fields} if current else {}
            values = {"name": name, "period": "month", **values, **given}
            if route is not None:
                values["route_id"] = None if route == "all" else await budgets.route_named(route)
            for limit in ("limit_usd", "limit_tokens"):
                values[limit] = values.get(limit) or None
            budget, new = await budgets.put(_terms(values), by=person())
            return budget, new, await _set_free(system, f"the budget {name} was changed")

    budget, new, freed = run(put)
    _say(budget, "created" if new else "changed", freed, as_json=as_json)


@app.command()
def delete(name: Name, as_json: Json = False) -> None:
    """Delete a budget. What it has stopped runs again; what was spent stays in the books."""

    async def remove() -> tuple[Budget, int]:
        async with connected() as system:
            budget = await Budgets(system.database).delete(name, by=person())
            return budget, await _set_free(system, f"the budget {name} was deleted")

    budget, freed = run(remove)
    _say(budget, "deleted", freed, as_json=as_json)


def _terms(values: dict[str, Any]) -> BudgetTerms:
    try:
        return BudgetTerms(**values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        option = OPTIONS.get(str(problem["loc"][0])) if problem["loc"] else None
        said = problem["msg"].removeprefix("Value error, ")
        said = said.replace("limit_usd", "--usd").replace("limit_tokens", "--tokens")
        said = f"{said[:1].lower()}{said[1:]}" + (f", not {problem['input']!r}" if option else "")
        raise SettingsError(f"{option}: {said}" if option else said) from None


OPTIONS = {
    "name": "NAME",
    "period": "--period",
    "limit_usd": "--usd",
    "limit_tokens": "--tokens",
    "timezone": "--timezone",
    "warn_share": "--warn-at",
    "fallback_model": "--fallback",
    "fallback_image_model": "--fallback-image",
}


async def _set_free(system: System, reason: str) -> int:
    """Let what budgets have stopped run again, and return how many jobs that are."""
    with system.rails() as rails:
        kinds = operation_kinds(system.nats, system.database, rails)
        operations = Operations(system.database, kinds)
        started = await set_free(operations, by=person(), reason=reason)
        if started is None:
            return 0
        await OperationRunner(system.database, kinds).follow(started.id, lambda: operations.get(started.id))
        return (await operations.get(started.id)).done


def _say(budget: Budget, done: str, freed: int, *, as_json: bool) -> None:
    if as_json:
        print_json({done: _shown(budget), "jobs_set_free": freed})
        return
    typer.echo(f"Budget {budget.name} is {done}: {budget.said()}.")
    if freed:
        typer.echo(f"{counted(freed, 'job')} that waited {'runs' if freed == 1 else 'run'} again.")


def _at_limit(budget: Budget) -> str:
    texts, images = budget.fallback("chat"), budget.fallback("image")
    return ", ".join(filter(None, (texts, images))) or "stop"


def _shown(budget: Budget) -> dict[str, Any]:
    return {field: getattr(budget, field) for field in Budget.__slots__}
