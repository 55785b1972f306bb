"""`postroom up`, as a user runs it: every post of a corpus arrives once, and the report balances."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from common.testing.waiting import eventually


def report_of(path: Path) -> dict[str, Any]:
    contents: dict[str, Any] = json.loads(path.read_text())
    return contents


async def test_a_corpus_is_published_and_the_report_balances(
    place: Any, delivered: Callable[[Path], Counter[str]]
) -> None:
    corpus = place.corpus(40)
    async with place.up("--corpus", str(corpus), "--until-idle", "--report", "report.json") as running:
        assert await running.ended(within=150) == 0, running.log()
    report = report_of(place.directory / "report.json")
    total = report["total"]
    assert total["collected"] == 120
    assert total["balanced"] is True
    assert total["published"] + total["duplicates"] == 120
    assert total["duplicates"] >= 11
    assert total["pending"] == total["dead"] == report["dead_letters"] == 0
    assert set(report["sources"]) == {"Channel 0", "Channel 1", "Channel 2"}
    assert sum(source["published"] for source in report["sources"].values()) == total["published"]
    texts = delivered(place.directory / ".postroom" / "corpus")
    assert texts.total() == total["published"]
    assert max(len(text.encode("utf-16-le")) // 2 for text in texts) <= 4096

    # A second run goes on where the first one was: there is nothing left to do, and nothing is doubled.
    async with place.up("--corpus", str(corpus), "--until-idle", "--report", "again.json") as running:
        assert await running.ended(within=150) == 0, running.log()
    assert report_of(place.directory / "again.json")["total"] == total
    assert delivered(place.directory / ".postroom" / "corpus") == texts


async def test_the_demo_shows_a_funnel_and_the_commands_see_it(place: Any) -> None:
    async with place.up() as running:
        sandbox = await running.sandbox()

        async def some_published() -> dict[str, Any]:
            done = place.command("status", "--json", check=False)
            if done.returncode:
                return {}
            status: dict[str, Any] = json.loads(done.stdout)
            return status if status["posts"]["total"]["published"] >= 3 else {}

        status = await eventually(some_published, within=90, every=0.5)
        assert {row["service"] for row in status["services"]} == {
            "api", "collector", "publisher", "rewriter", "scheduler",
        }  # fmt: skip
        chats = (await sandbox.get("/api/chats")).json()
        await sandbox.aclose()
        assert any(chat["username"] == "postroom_demo" for chat in chats)
        own = '{"text": "**Own** text", "targets": ["telegram:@postroom_demo"]}'
        said = place.command("pub", "publish.requested", own)
        assert "PUBLISH has it" in said.stdout
        assert place.command("dead", "list").stdout.strip() == "No dead letters."
        human = place.command("status").stdout
        assert "Posts from" in human
    log = (place.directory / "up.log").read_text()
    assert "Read the destination channel: http://127.0.0.1:" in log
    assert not (place.directory / ".postroom" / "running.json").exists()
    stopped = place.command("status", check=False)
    assert stopped.returncode == 4
    assert stopped.stderr.strip() == (
        "postroom: nothing runs here: start it with `make run`, or set DATABASE_URL and NATS_URL"
    )
