"""`postroom up`, as a user runs it: every post of a corpus arrives once, and the report balances."""

import json
import re
from collections import Counter
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from common.testing.waiting import eventually
from postroom.stack.stack import SERVICES


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
    async with place.up("--report", "report.json") as running:
        sandbox = await running.sandbox()
        await media_are_carried_over_and_broadcast(sandbox)
        await sandbox.aclose()
        status = place.said("status")
        assert {row["service"] for row in status["services"]} == set(SERVICES)
        assert status["posts"]["total"]["published"] >= 3
        own = '{"text": "**Own** text", "targets": ["telegram:@postroom_demo"]}'
        said = place.command("pub", "publish.requested", own)
        assert "PUBLISH has it" in said.stdout
        assert place.command("dead", "list").stdout.strip() == "No dead letters."
        human = place.command("status").stdout
        assert "Posts from" in human
    log = (place.directory / "up.log").read_text()
    assert "Read the destination channel: http://127.0.0.1:" in log
    assert "chats that are broadcast to: http://127.0.0.1:" in log
    assert not (place.directory / ".postroom" / "running.json").exists()
    stopped = place.command("status", check=False)
    assert stopped.returncode == 4
    assert stopped.stderr.strip() == (
        "postroom: nothing runs here: start it with `make run`, or set DATABASE_URL and NATS_URL"
    )
    report = report_of(place.directory / "report.json")
    assert report["images"]["generated"] >= 1
    assert report["images"]["fetched"] >= 4
    assert report["images"]["not_fetched"] == report["images"]["failed"] == 0
    assert report["broadcasts"]["sent"] >= 5
    assert report["broadcasts"]["errors"] == report["broadcasts"]["failed"] == 0
    assert report["problems"] == []


async def media_are_carried_over_and_broadcast(sandbox: httpx.AsyncClient) -> None:
    """Wait until at least five chats have a post, and the destination pictures, an album and a document."""
    told = (await sandbox.get("/api/telegram")).json()
    userbot = next(account["id"] for account in told["accounts"] if account["name"] == "userbot")
    [destination] = told["destinations"]

    async def seen(chat: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await sandbox.get(f"/api/chats/{chat['id']}/messages", params={"limit": 1000})
        messages: list[dict[str, Any]] = answer.json()
        return messages

    async def enough() -> list[list[dict[str, Any]]] | None:
        """Return what the userbot sent, by chat, once that is so."""
        chats = [await seen(chat) for chat in told["broadcast_chats"]]
        sent = [[message for message in chat if message["sender_id"] == userbot] for chat in chats]
        published = await seen(destination)
        kinds = Counter((message["media"] or {}).get("type") for message in published)
        carried = kinds["photo"] >= 5 and kinds["document"] and any(message["grouped_id"] for message in published)
        return sent if carried and sum(map(bool, sent)) >= 5 else None

    for chat in await eventually(enough, within=120, every=0.5):
        texts = Counter(message["text"] for message in chat if message["text"])
        assert max(texts.values(), default=1) == 1, "a chat has a post twice"
    page = await sandbox.get(f"/chats/{destination['id']}")
    pictures = re.findall(r'<img src="([^"]+)"[^>]* width="(\d+)"', page.text)
    assert len(pictures) >= 5
    for address, width in pictures[:5]:
        served = await sandbox.get(address)
        assert served.headers["content-type"] in ("image/png", "image/jpeg", "image/webp")
        assert Image.open(BytesIO(served.content)).width == int(width)


@pytest.mark.soak
async def test_all_services_work_in_one_process_too(place: Any) -> None:
    async with place.up("--single-process") as running:

        async def done() -> bool:
            said = place.command("status", "--json", check=False)
            if said.returncode:
                return False
            posts = json.loads(said.stdout)["posts"]
            return bool(posts["images"]["generated"] and posts["broadcasts"]["sent"] and posts["total"]["published"])

        assert await eventually(done, within=120, every=0.5)
        status = place.said("status")
        assert {row["service"] for row in status["services"]} == set(SERVICES)
        assert {row["detail"] for row in status["services"]} == {""}
        names = set(running.description["pids"])
        assert names == {"sandbox", "nats", "postgres", "postroom.stack.together"}
