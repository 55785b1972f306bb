"""All queues of a running stack are paused during a load, everything is restarted, and they go on.

The same trial is made of delivery alone in libs/common/tests/messaging, which is quicker.
"""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from common.testing.waiting import eventually

Delivered = Callable[[Path], Counter[str]]
POSTS = 667  # in each of three sources: 2,000 in all


def moved(place: Any) -> dict[str, Any]:
    """How far the posts are."""
    total: dict[str, Any] = place.said("status")["posts"]["total"]
    return total


async def all_stand_still(place: Any) -> None:
    """Wait until each replica holds all its queues, and nothing runs any more."""

    async def they_do() -> bool:
        queues = place.said("queues", "list")
        replicas = [replica for queue in queues for replica in queue["replicas"]]
        services = {replica["service"] for replica in replicas}
        still = all(replica["holding"] and not replica["in_flight"] for replica in replicas)
        return still and {"collector", "rewriter", "scheduler", "publisher"} <= services

    await eventually(they_do, within=60, every=0.5)


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_pause_during_a_load_restart_everything_and_resume(place: Any, delivered: Delivered) -> None:
    corpus = place.corpus(POSTS)
    async with place.up("--corpus", str(corpus)) as running:
        await running.pid("publisher")

        async def some_are_published() -> bool:
            done = place.command("status", "--json", check=False)
            return done.returncode == 0 and json.loads(done.stdout)["posts"]["total"]["published"] >= POSTS // 4

        await eventually(some_are_published, within=120, every=0.2)
        assert place.said("queues", "pause", "--all", "--reason", "a trial")["not_following"] == []
        await all_stand_still(place)
        before = moved(place)
        assert POSTS // 4 <= before["published"] < 3 * POSTS * 0.8
    texts = delivered(place.directory / ".postroom" / "corpus")
    assert texts.total() == before["published"]
    async with place.up("--corpus", str(corpus), "--until-idle", "--report", "report.json") as running:
        await running.pid("publisher")
        await all_stand_still(place)
        assert moved(place) == before
        assert place.said("queues", "resume", "--all")["not_following"] == []
        assert await running.ended(within=400) == 0, running.log()
    report = json.loads((place.directory / "report.json").read_text())
    assert report["problems"] == []
    assert report["total"]["balanced"] is True
    assert report["total"]["published"] + report["total"]["duplicates"] == 3 * POSTS
    texts = delivered(place.directory / ".postroom" / "corpus")
    assert texts.total() == report["total"]["published"]
    assert max(texts.values()) == 1  # each text of this corpus is different
