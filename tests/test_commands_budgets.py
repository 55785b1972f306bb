"""`postroom budgets`, on servers without services."""

from typing import Any

from common.catalog import Catalog
from common.postgres import Database


async def test_a_budget_from_its_beginning_to_its_end(connected: Any, database: Database) -> None:
    catalog = Catalog(database)
    await catalog.put_route("city", profile_id=await catalog.put_profile("p"), targets=["telegram:@city"])
    assert connected.command("budgets", "list").stdout == "No budgets.\n"
    made = connected.command("budgets", "set", "all of it", "--usd", "12.5", "--timezone", "Europe/Moscow")
    assert made.stdout == "Budget all of it is created: 0.00 of 12.50 USD this month.\n"
    connected.command("budgets", "set", "city", "--route", "city", "--period", "day", "--tokens", "1000")
    changed = connected.said("budgets", "set", "city", "--usd", "3", "--fallback", "small")["changed"]
    assert (changed["route"], changed["period"], changed["limit_usd"], changed["limit_tokens"]) == (
        "city",
        "day",
        3,
        1000,
    )
    assert (changed["at_limit"], changed["fallback_model"]) == ("fallback", "small")
    stops = connected.said("budgets", "set", "city", "--stop", "--tokens", "0")["changed"]
    assert (stops["at_limit"], stops["limit_tokens"], stops["limit_usd"]) == ("stop", None, 3)
    assert [(each["name"], each["timezone"]) for each in connected.said("budgets", "list")] == [
        ("all of it", "Europe/Moscow"),
        ("city", "UTC"),
    ]
    assert connected.command("budgets", "delete", "city").stdout.startswith("Budget city is deleted")
    gone = connected.command("budgets", "delete", "city", check=False)
    assert (gone.returncode, gone.stderr) == (1, "postroom: there is no budget city\n")
    rows = await database.fetch("SELECT actor, action, after FROM audit_log ORDER BY id")
    assert [row["action"] for row in rows] == [
        "create_budget", "create_budget", "change_budget", "change_budget", "delete_budget",
    ]  # fmt: skip
    assert all(row["actor"].startswith("cli") for row in rows)
    assert rows[2]["after"]["fallback_model"] == "small"


WRONG = [
    (("--usd", "-1"), "postroom: --usd: input should be greater than 0, not -1.0\n"),
    (("--period", "year"), "postroom: --period: input should be 'day' or 'month', not 'year'\n"),
    ((), "postroom: it needs --usd, --tokens, or both\n"),
    (("--usd", "1", "--stop", "--fallback", "small"), "goes with no fallback"),
]


def test_what_is_wrong_is_said(connected: Any) -> None:
    for options, words in WRONG:
        done = connected.command("budgets", "set", "x", *options, check=False)
        assert done.returncode == 2, options
        assert words in done.stderr
