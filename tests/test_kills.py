"""Kill -9 of every service at every step of delivery, of NATS and of PostgreSQL, while posts run through the system.

After it has recovered the report balances, and the destination holds each post exactly once.
"""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

DYING = Path(__file__).parent / "dying"
SERVICES = ("collector", "rewriter", "scheduler", "publisher")

Delivered = Callable[[Path], Counter[str]]


async def run(place: Any, running: Any, kills: int, *, seed: int, servers: int) -> dict[str, Any]:
    """Kill services at random, and NATS and PostgreSQL `servers` times each; return the report of the whole run."""
    chance = random.Random(seed)
    victims = [chance.choice(SERVICES) for _ in range(kills)] + ["nats", "postgres"] * servers
    chance.shuffle(victims)
    killed = 0
    for victim in victims:
        if not await running.kill(victim):
            break
        killed += 1
        await asyncio.sleep(chance.uniform(0.2, 1.0))  # the length of a life is what is varied here
    assert killed > len(victims) * 0.7, f"only {killed} kills before everything was published"
    assert await running.ended(within=400) == 0, running.log()
    report: dict[str, Any] = json.loads((place.directory / "report.json").read_text())
    return report


def check(report: dict[str, Any], texts: Counter[str], posts: int) -> None:
    """Say that nothing is lost and nothing is doubled."""
    total = report["total"]
    assert report["problems"] == []
    assert total["balanced"] is True
    assert total["collected"] == posts
    assert total["published"] + total["duplicates"] == posts
    assert texts.total() == total["published"]
    assert max(texts.values()) == 1  # each text of this corpus is different


@pytest.mark.timeout(600)
async def test_services_and_servers_are_killed_at_random(place: Any, delivered: Delivered) -> None:
    corpus = place.corpus(170)
    arguments = ("--corpus", str(corpus), "--until-idle", "--report", "report.json")
    async with place.up(*arguments) as running:
        await running.pid("collector")
        report = await run(place, running, kills=4, seed=1, servers=1)
    check(report, delivered(place.directory / ".postroom" / "corpus"), posts=510)


@pytest.mark.timeout(600)
async def test_every_service_dies_at_every_step(place: Any, delivered: Delivered) -> None:
    lives = place.directory / "lives"
    lives.mkdir()
    corpus = place.corpus(170)
    arguments = ("--corpus", str(corpus), "--until-idle", "--report", "report.json")
    dying = f"{lives}:collector=1,rewriter=60,scheduler=60,publisher=60"
    async with place.up(*arguments, POSTROOM_DYING=dying, PYTHONPATH=str(DYING)) as running:
        assert await running.ended(within=500) == 0, running.log()
    report = json.loads((place.directory / "report.json").read_text())
    assert {path.name: path.stat().st_size for path in lives.iterdir()} == dict.fromkeys(SERVICES, 5)
    check(report, delivered(place.directory / ".postroom" / "corpus"), posts=510)


@pytest.mark.soak
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_services_and_servers_are_killed_at_random_at_full_size(
    place: Any, delivered: Delivered, seed: int
) -> None:
    corpus = place.corpus(2000, seed=seed)
    arguments = ("--corpus", str(corpus), "--until-idle", "--report", "report.json")
    async with place.up(*arguments) as running:
        await running.pid("collector")
        report = await run(place, running, kills=40, seed=seed, servers=3)
    check(report, delivered(place.directory / ".postroom" / "corpus"), posts=6000)
