"""What is configured in the newsroom."""

from typing import TYPE_CHECKING, Any
from uuid import UUID

from common.catalog import Catalog
from common.postgres import Database, Queries

if TYPE_CHECKING:
    from common.testing.newsroom.newsroom import Newsroom

SQL = Queries.load(__package__, "newsroom.sql")


async def build(room: "Newsroom", house: dict[str, Any]) -> None:
    """Write sources, profiles, destinations, routes, chats, rules and budgets."""
    catalog, database = Catalog(room.database), room.database
    for source in house["sources"]:
        room.sources[source["key"]] = source_id = await catalog.put_source(
            source["kind"], source["address"], title=source["title"], schedule=source.get("schedule")
        )
        problem = source.get("problem")
        await database.execute(SQL["state"], source_id, 190 if problem else 4, problem, 6 if problem else 0)
        if not source.get("enabled", True):
            await database.execute("UPDATE sources SET enabled = false WHERE id = $1", source_id)
    for profile in house["profiles"]:
        given = {name: value for name, value in profile.items() if name not in ("key", "name")}
        room.profiles[profile["key"]] = await catalog.put_profile(profile["name"], **given, by="user:anna")
    for destination in house["destinations"]:
        given = {name: value for name, value in destination.items() if name != "address"}
        await catalog.put_destination(destination["address"], **given)
    for route in house["routes"]:
        await _route(room, catalog, route)
    for chat in house["chats"]:
        names = {
            "enabled": True,
            "min_messages_between": 0,
            "messages_since_post": 0,
            "flag": None,
            "flag_reason": None,
        }
        await database.execute(
            SQL["chat"], chat["address"], chat["title"], *(chat.get(name, names[name]) for name in names)
        )
    for rule in house["rules"]:
        values = (rule[name] for name in ("schedule_type", "schedule_config", "content_config", "platforms"))
        room.rules[rule["name"]] = await _added(database, SQL["rule"], rule["name"], *values, rule.get("active", True))
    for budget in house["budgets"]:
        route_id = room.routes[budget["route"]] if "route" in budget else None
        values = (budget[name] for name in ("period", "timezone", "limit_usd"))
        falls_back = budget.get("at_limit", "stop"), budget.get("fallback_model")
        budget_id = await _added(database, SQL["budget"], budget["name"], route_id, *values, *falls_back)
        room.budgets.append(budget_id)
        await database.execute(SQL["spent"], budget_id, budget["used"], budget["used"] > 0.8 * budget["limit_usd"])


async def _route(room: "Newsroom", catalog: Catalog, route: dict[str, Any]) -> None:
    for number, source in enumerate(route["sources"]):
        key = route["key"] if not number else f"{route['key']}-{source}"
        room.route_of[source] = key
        room.routes[key] = await catalog.put_route(
            route["name"] if not number else f"{route['name']} ({source})",
            profile_id=room.profiles[route["profile"]],
            targets=route["targets"],
            source_id=room.sources[source],
            approval=route.get("approval", False),
            illustrate=route.get("illustrate", False),
        )


async def _added(database: Database, statement: str, *arguments: object) -> UUID:
    row = await database.strict_fetch(statement, *arguments)
    added: UUID = row[0]["id"]
    return added
