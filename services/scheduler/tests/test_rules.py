"""Auto-posting rules on real servers, with a controlled clock."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import asyncpg
import pytest
from nats.aio.client import Client

from common.catalog import Catalog
from common.messaging.rails import Rails
from common.messaging.within import EmittedWithin
from common.planning.contents import Brief
from common.planning.rules import NoSuchRule, RuleExists, Rules, RuleValues, UnreadableRule, WrongRule
from common.planning.schedules import read_schedule
from common.postgres import Database, Within
from common.testing.waiting import eventually
from scheduler.auto_posting import AutoPostingWorker

TARGET = "telegram:@city"
BRIEF = Brief("Morning greeting", "Wish everybody a good day")
START = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


@dataclass
class Desk:
    """People and workers at their rules, with one clock."""

    database: Database
    rails: Rails
    at: datetime = START

    @asynccontextmanager
    async def rules(self) -> AsyncIterator[Rules]:
        """The use cases, as the API calls them."""
        async with self.database.transaction() as connection:
            rails = EmittedWithin(self.rails, connection)
            yield Rules(Within(connection), rails, consumer="api", now=self.at)
        await rails.publish_all()

    async def rule(self, kind: str = "daily", config: dict[str, Any] | None = None, **given: Any) -> UUID:
        """Add a rule."""
        schedule = read_schedule(kind, {"times": ["12:05"]} if config is None else config)
        values = RuleValues("greeting", kind, schedule, BRIEF, (TARGET,))
        async with self.rules() as rules:
            return await rules.add(replace(values, **given), by="me")

    async def look(self, at: str | None = None) -> float | None:
        """Set the clock, and let a worker look."""
        if at is not None:
            self.at = utc(at)
        return await AutoPostingWorker(self.database, self.rails, now=lambda: self.at).look()

    async def executions(self) -> list[asyncpg.Record]:
        return await self.database.fetch("SELECT * FROM rule_executions ORDER BY executed_at, slot")

    async def slots(self) -> list[str]:
        return [f"{row['slot'].astimezone(UTC):%m-%d %H:%M}" for row in await self.executions()]

    async def scheduled(self) -> list[asyncpg.Record]:
        return await self.database.fetch("SELECT * FROM scheduled_posts ORDER BY created_at, target")

    async def upcoming(self) -> datetime | None:
        row = await self.database.fetchrow("SELECT next_execution_at FROM auto_posting_rules")
        assert row
        found: datetime | None = row["next_execution_at"]
        return found

    async def count(self, table: str) -> int:
        row = await self.database.fetchrow(f"SELECT count(*) FROM {table}")
        assert row
        return int(row[0])


@pytest.fixture
async def desk(database: Database, nats_client: Client) -> AsyncIterator[Desk]:
    rails = Rails(nats_client.jetstream(), database)
    yield Desk(database, rails)
    rails.close()


async def test_a_run_is_a_content_and_a_scheduled_post_for_its_slot(desk: Desk, nats_client: Client) -> None:
    await Catalog(desk.database).put_destination("telegram:@main")
    await desk.database.execute("UPDATE destinations SET is_default = true")
    profile = await Catalog(desk.database).put_profile("news")
    rule = await desk.rule(content=Brief("t", "d", "news", illustrate=True), platforms=("telegram", TARGET))
    assert await desk.look() == pytest.approx(3 * 3600 + 300)
    assert await desk.executions() == []
    assert await desk.look("2026-11-23T12:05:00.050Z") == pytest.approx(24 * 3600, abs=1)
    slot = utc("2026-11-23T12:05Z")
    [run] = await desk.executions()
    assert (run["rule_id"], run["slot"], run["asked_by"], run["status"]) == (rule, slot, None, "succeeded")
    [content] = await desk.database.fetch("SELECT * FROM contents")
    assert (content["id"], content["rule_id"], content["profile_id"]) == (run["content_id"], rule, profile)
    assert (content["title"], content["illustrate"], content["created_by"]) == ("t", True, "rule:greeting")
    rows = await desk.scheduled()
    assert [row["target"] for row in rows] == [TARGET, "telegram:@main"]
    for row in rows:
        assert (row["post_id"], row["content_id"], row["rule_id"]) == (content["post_id"], content["id"], rule)
        assert (row["scheduled_time"], row["status"]) == (slot, "scheduled")
        assert row["slot_key"] == f"rule/{rule}/{slot.isoformat()}/{row['target']}"
    reader = await nats_client.jetstream().pull_subscribe_bind("rewriter-contents", "POSTS")
    [message] = await reader.fetch(1, timeout=10)
    assert str(content["id"]).encode() in message.data
    assert await desk.look() is not None
    assert len(await desk.executions()) == 1


@pytest.mark.parametrize(
    ("kind", "config", "expected"),
    [
        ("once", {"at": "2026-11-23T10:00:00Z"}, ["11-23 10:00"]),
        ("interval", {"every_minutes": 720}, ["11-23 21:00", "11-24 09:00", "11-24 21:00"]),
        ("interval", {"every_minutes": 720, "from": "2026-11-24T00:00:00Z"}, ["11-24 00:00", "11-24 12:00"]),
        ("daily", {"times": ["12:05", "10:00"], "timezone": "Europe/Moscow"},
         ["11-23 09:05", "11-24 07:00", "11-24 09:05"]),
        ("weekly", {"times": ["12:05"], "days_of_week": [2]}, ["11-24 12:05"]),
        ("cron", {"expression": "0 */8 * * *"}, ["11-23 16:00", "11-24 00:00", "11-24 08:00", "11-24 16:00"]),
    ],
)  # fmt: skip
async def test_each_kind_of_rule_runs_at_its_times(desk: Desk, kind: str, config: dict, expected: list[str]) -> None:
    await desk.rule(kind, config)
    for quarters in range(39 * 4):
        desk.at = START + timedelta(minutes=15 * quarters, seconds=1)
        upcoming = await desk.upcoming()
        if upcoming and upcoming <= desk.at:
            await desk.look()
    assert await desk.slots() == expected
    assert await desk.count("contents") == len(expected)


async def test_over_both_changes_of_the_clocks_a_rule_runs_once_a_day(desk: Desk) -> None:
    await desk.rule("daily", {"times": ["02:30"], "timezone": "America/New_York"})
    for at in ("2027-03-13T12:00Z", "2027-03-14T06:59Z", "2027-03-14T07:30:01Z", "2027-03-14T12:00Z"):
        await desk.look(at)
    assert (await desk.slots())[-1] == "03-14 07:30"  # 02:30 does not exist: it is 03:30
    await desk.database.execute("DELETE FROM rule_executions")
    await desk.database.execute("DELETE FROM auto_posting_rules")
    desk.at = utc("2027-11-06T12:00Z")
    await desk.rule("daily", {"times": ["01:30"], "timezone": "America/New_York"})
    for at in ("2027-11-07T05:30:01Z", "2027-11-07T06:30:01Z", "2027-11-07T12:00Z", "2027-11-08T06:30:01Z"):
        await desk.look(at)
    assert await desk.slots() == ["11-07 05:30", "11-08 06:30"]  # 01:30 comes twice


async def test_a_rule_that_missed_ten_runs_runs_once(desk: Desk) -> None:
    await desk.rule("daily", {"times": ["12:05"]})
    await desk.look("2026-12-03T11:00Z")
    assert await desk.slots() == ["12-02 12:05"]
    [row] = await desk.scheduled()
    assert row["scheduled_time"] == desk.at  # so late, it is meant for now
    assert await desk.upcoming() == utc("2026-12-03T12:05Z")


async def test_a_clock_that_jumps_runs_no_slot_twice(desk: Desk) -> None:
    await desk.rule("interval", {"every_minutes": 60})
    await desk.look("2026-11-23T12:30Z")
    await desk.look("2026-11-23T10:30Z")
    await desk.look("2026-11-23T12:59Z")
    assert await desk.slots() == ["11-23 12:00"]
    await desk.look("2026-11-23T13:00Z")
    assert await desk.slots() == ["11-23 12:00", "11-23 13:00"]


async def test_a_clock_that_was_years_ahead_stops_no_rule(desk: Desk) -> None:
    await desk.rule()
    await desk.look("2030-01-01T12:06Z")
    assert await desk.upcoming() == utc("2030-01-02T12:05Z")
    await desk.look("2026-11-23T09:01Z")
    assert await desk.upcoming() == utc("2026-11-23T12:05Z")
    for _ in range(2):
        await desk.look("2026-11-23T12:05Z")
    assert sorted(await desk.slots()) == ["01-01 12:05", "11-23 12:05"]


async def test_three_workers_at_once_never_run_a_slot_twice(desk: Desk) -> None:
    for number in range(20):
        await desk.rule("interval", {"every_minutes": 1}, name=f"rule {number}")
    others = [Rails(desk.rails.outbox._stream, desk.database) for _ in range(2)]
    for minutes in range(1, 6):
        desk.at = START + timedelta(minutes=minutes)
        workers = [AutoPostingWorker(desk.database, rails, now=lambda: desk.at) for rails in (desk.rails, *others)]
        await asyncio.gather(*(worker.look() for worker in workers))
    for rails in others:
        rails.close()
    runs = await desk.executions()
    assert len(runs) == 20 * 5
    assert {run["status"] for run in runs} == {"succeeded"}
    assert await desk.count("contents") == await desk.count("scheduled_posts") == 100
    assert len({row["slot_key"] for row in await desk.scheduled()}) == 100


async def test_run_now_is_beside_the_times(desk: Desk) -> None:
    rule = await desk.rule(is_active=False)
    desk.at = utc("2026-11-23T10:00:00.123Z")
    async with desk.rules() as rules:
        run = await rules.run_now(rule, by="me")
    assert (run.slot, run.asked_by, run.status) == (desk.at, "me", "succeeded")
    [row] = await desk.scheduled()
    assert row["scheduled_time"] == desk.at
    assert await desk.upcoming() is None


async def test_a_rule_that_is_deactivated_while_it_is_due_does_not_run(desk: Desk) -> None:
    rule = await desk.rule()
    desk.at = utc("2026-11-23T12:10Z")
    async with desk.rules() as rules:
        await rules.activate(rule, active=False)
        # Whoever looks meanwhile passes it over, as it is being changed.
        assert await AutoPostingWorker(desk.database, desk.rails, now=lambda: desk.at).look() is not None
    assert await desk.look() is None
    assert await desk.executions() == []
    async with desk.rules() as rules:
        await rules.activate(rule, active=True)
    assert await desk.upcoming() == utc("2026-11-24T12:05Z")  # what it missed is not made up


async def test_a_profile_that_was_deleted_fails_the_run_and_is_told(desk: Desk, nats_client: Client) -> None:
    profile = await Catalog(desk.database).put_profile("news")
    rule = await desk.rule(content=replace(BRIEF, profile="news"))
    await desk.database.execute("DELETE FROM profiles WHERE id = $1", profile)
    await desk.look("2026-11-23T12:05Z")
    [run] = await desk.executions()
    assert (run["status"], run["error"], run["content_id"]) == ("failed", "there is no profile 'news'", None)
    assert await desk.count("posts") == await desk.count("scheduled_posts") == 0
    assert await desk.upcoming() == utc("2026-11-24T12:05Z")
    reader = await nats_client.jetstream().pull_subscribe_bind("api-notifications", "NOTIFY")
    [message] = await reader.fetch(1, timeout=10)
    assert b"scheduler.rule_failed" in message.data
    await Catalog(desk.database).put_profile("news")
    await desk.look("2026-11-24T12:05Z")
    desk.at += timedelta(seconds=1)
    async with desk.rules() as rules:
        assert (await rules.run_now(rule, by="me")).status == "succeeded"
    assert [run["status"] for run in await desk.executions()] == ["failed", "succeeded", "succeeded"]


async def test_what_nobody_expected_fails_one_rule_and_not_the_others(desk: Desk, nats_client: Client) -> None:
    await desk.rule(name="broken", content=Brief("broken"))
    await desk.rule(name="unreadable")
    await desk.rule(name="fine")
    await desk.database.execute("ALTER TABLE contents ADD CHECK (title <> 'broken')")
    await desk.database.execute("UPDATE auto_posting_rules SET schedule_config = '{}' WHERE name = 'unreadable'")
    await desk.look("2026-11-23T12:05Z")
    rows = await desk.database.fetch(
        "SELECT r.name, e.status, e.error, r.next_execution_at FROM rule_executions e"
        " JOIN auto_posting_rules r ON r.id = e.rule_id ORDER BY r.name"
    )
    assert [(row["name"], row["status"]) for row in rows] == [
        ("broken", "failed"), ("fine", "succeeded"), ("unreadable", "failed"),
    ]  # fmt: skip
    assert "CheckViolationError" in rows[0]["error"]
    assert rows[0]["next_execution_at"] == utc("2026-11-24T12:05Z")
    assert rows[2]["next_execution_at"] is None
    assert await desk.count("contents") == 1
    reader = await nats_client.jetstream().pull_subscribe_bind("api-notifications", "NOTIFY")
    assert len(await reader.fetch(2, timeout=10)) == 2


async def test_a_rule_that_can_not_be_read_is_mended_by_a_change(desk: Desk) -> None:
    rule = await desk.rule()
    await desk.database.execute(
        'UPDATE auto_posting_rules SET schedule_config = \'{"times": [], "timezone": "Europe/Atlantis"}\''
    )
    await desk.look("2026-11-23T12:05Z")
    assert await desk.upcoming() is None
    async with desk.rules() as rules:
        with pytest.raises(UnreadableRule, match="change it first"):
            await rules.run_now(rule, by="me")
        with pytest.raises(UnreadableRule):
            await rules.activate(rule, active=False)
        await rules.change(
            rule, RuleValues("g", "daily", read_schedule("daily", {"times": ["12:05"]}), BRIEF, (TARGET,))
        )
    assert await desk.upcoming() == utc("2026-11-24T12:05Z")


async def test_what_can_not_work_is_refused(desk: Desk) -> None:
    for given, field, said in (
        ({"platforms": ("myspace",)}, "/platforms", "there is no platform 'myspace'"),
        ({"platforms": ("telegram",)}, "/platforms", "no default destination"),
        ({"content": Brief("t", profile="nobody")}, "/content_config/profile", "no profile 'nobody'"),
    ):
        with pytest.raises(WrongRule, match=said) as error:
            await desk.rule(**given)
        assert error.value.field == field
    with pytest.raises(WrongRule, match="has passed"):
        await desk.rule("once", {"at": "2026-11-23T08:59:00Z"})
    await desk.rule()
    with pytest.raises(RuleExists):
        await desk.rule()
    async with desk.rules() as rules:
        with pytest.raises(NoSuchRule):
            await rules.run_now(UUID(int=1), by="me")


async def test_a_change_of_its_schedule_sets_its_next_time_and_another_change_does_not(desk: Desk) -> None:
    rule = await desk.rule("interval", {"every_minutes": 60})
    assert await desk.upcoming() == utc("2026-11-23T10:00Z")
    desk.at = utc("2026-11-23T10:30Z")  # it is due, and nobody has looked
    row = await desk.database.fetchrow("SELECT schedule_config FROM auto_posting_rules")
    assert row
    hourly = read_schedule("interval", row["schedule_config"])
    values = RuleValues("renamed", "interval", hourly, BRIEF, (TARGET,))
    async with desk.rules() as rules:
        await rules.change(rule, values)
    assert await desk.upcoming() == utc("2026-11-23T10:00Z")
    daily = read_schedule("daily", {"times": ["09:00"]})
    async with desk.rules() as rules:
        await rules.change(rule, replace(values, schedule_type="daily", schedule=daily))
    assert await desk.upcoming() == utc("2026-11-24T09:00Z")
    async with desk.rules() as rules:
        await rules.remove(rule)
    assert await desk.look() is None


@pytest.mark.usefixtures("stage")
async def test_the_running_worker_is_woken_by_a_change(
    scheduler: Callable[[], AbstractAsyncContextManager[None]], desk: Desk
) -> None:
    async with scheduler():

        async def beats() -> bool:
            return bool(await desk.database.fetch("SELECT FROM worker_beats WHERE worker = 'AutoPostingWorker'"))

        await eventually(beats)
        desk.at = datetime.now(UTC)
        await desk.rule("once", {"at": (desk.at + timedelta(seconds=1)).isoformat()})
        [run] = await eventually(desk.executions, within=10)  # the fallback would come after five minutes
    assert run["status"] == "succeeded"
    assert run["executed_at"] >= run["slot"]
