"""Dead letters, as an operator meets them: typed by hand, found, understood, replayed, discarded."""

import json
import re
from typing import Any

import pytest

from common.testing.waiting import eventually

DESTINATION = "telegram:@postroom_demo"


async def letters(place: Any, count: int) -> list[dict[str, Any]]:
    """The dead letters, the oldest first, once there are so many."""

    async def probe() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = place.said("dead", "list")[::-1]
        return found if len(found) == count else []

    return await eventually(probe, within=30)


async def total(place: Any, **wanted: int) -> dict[str, Any]:
    """The counts of all posts and of the dead letters, once they are as wanted."""

    async def probe() -> dict[str, Any]:
        posts = place.said("status")["posts"]
        found: dict[str, Any] = posts["total"] | {"dead_letters": posts["dead_letters"]}
        return found if all(found[name] == value for name, value in wanted.items()) else {}

    return await eventually(probe, within=30)


@pytest.fixture(autouse=True)
def tidy(standing: Any) -> None:
    """Begin without letters."""
    standing.command("dead", "discard", "--all", "--yes")


async def test_what_is_malformed_arrives_once_and_the_queue_goes_on(standing: Any) -> None:
    for body in ('{"text": ', '{"text": 5, "targets": "nowhere"}', f'{{"text": "next", "targets": ["{DESTINATION}"]}}'):
        standing.command("pub", "publish.requested", body)
    malformed, mistyped = await letters(standing, 2)
    assert malformed["error"] == "ValidationError: Invalid JSON: EOF while parsing a value at line 1 column 9"
    assert mistyped["error"] == (
        "ValidationError: text: Input should be a valid string; targets: Input should be a valid array"
    )
    assert {letter["consumer"] for letter in (malformed, mistyped)} == {"publisher"}
    assert malformed["attempts"] == 1

    number = str(malformed["number"])
    shown = standing.command("dead", "show", number).stdout
    assert re.search(r"^error +ValidationError: Invalid JSON", shown, re.MULTILINE)
    assert shown.endswith('\n{"text": \n')
    opened = standing.said("dead", "show", number)
    assert opened["payload"] == '{"text": '
    assert opened["headers"]["dl-subject"] == "publish.requested"
    assert opened.items() > malformed.items()
    assert "2 jobs are in the dead letters: `postroom dead list`" in standing.command("status").stdout
    table = standing.command("dead", "list").stdout
    assert re.search(
        rf"^{number} +\S+ \S+ +publisher +publish\.requested +\w{{12}} +Valid.*column 9 *$", table, re.MULTILINE
    )

    (standing.directory / "fixed.json").write_text(json.dumps({"text": 5, "targets": [DESTINATION]}))
    assert standing.refusal("dead", "edit", number, "--payload", "fixed.json") == (
        "postroom: text: Input should be a valid string"
    )
    (standing.directory / "fixed.json").write_text(json.dumps({"text": "mended", "targets": [DESTINATION]}))
    before = standing.said("status")["posts"]["total"]["published"]
    said = standing.command("dead", "replay", number, "--payload", "fixed.json").stdout
    assert said == "1 dead letter replayed.\n"
    found = await total(standing, published=before + 1, dead_letters=1)
    assert found["dead"] == found["pending"] == 0
    assert [letter["number"] for letter in await letters(standing, 1)] == [mistyped["number"]]


async def test_letters_are_chosen_by_group(standing: Any) -> None:
    for body in ("{", "[", "{", '{"post_id": "00000000-0000-0000-0000-000000000000"}'):
        standing.command("pub", "publish.requested", body)
    found = await letters(standing, 4)
    groups = standing.said("dead", "list", "--grouped")
    assert sorted(group["count"] for group in groups) == [1, 1, 2]
    twice = next(group for group in groups if group["count"] == 2)
    assert len(standing.said("dead", "list", "--fingerprint", twice["fingerprint"])) == 2
    assert len(standing.said("dead", "list", "--consumer", "publisher")) == 4
    assert standing.said("dead", "list", "--consumer", "rewriter") == []
    human = standing.command("dead", "list", "--grouped").stdout
    assert re.search(rf"^{twice['fingerprint']} +2 +publisher", human, re.MULTILINE)

    of_group = ("--fingerprint", twice["fingerprint"])
    assert standing.said("dead", "discard", *of_group, "--dry-run") == {"matching": 2}
    assert standing.command("dead", "replay", "--error", "json", "--dry-run").stdout == "3 dead letters match.\n"
    discarded = standing.said("dead", "discard", *of_group, "--yes")
    assert (discarded["discarded"], discarded["refused"]) == (2, 0)
    assert standing.said("dead", "replay", "--consumer", "publisher")["replayed"] == 2  # they fail again
    again = await letters(standing, 2)
    assert {letter["event_id"] for letter in again} < {letter["event_id"] for letter in found}
    assert min(letter["number"] for letter in again) > max(letter["number"] for letter in found)
    unsure = standing.command("dead", "discard", "--all", stdin="n\n", check=False)
    assert unsure.returncode == 1
    assert "Delete 2 dead letters for good?" in unsure.stderr
    assert standing.command("dead", "discard", "--all", stdin="y\n").stdout.strip() == "2 dead letters discarded."
    assert standing.command("dead", "list").stdout == "No dead letters.\n"
    await total(standing, dead_letters=0)


async def test_a_post_recovers_by_a_replay_and_is_cancelled_by_a_discard(standing: Any) -> None:
    standing.command("pub", "publish.requested", f'{{"text": "ghost", "targets": ["{DESTINATION}"]}}')
    await total(standing, pending=0)
    [post] = [post for post in standing.said("trace") if post["text"] == "ghost"]
    request = {"post_id": post["id"], "targets": ["telegram:not a name!"]}
    for body in (json.dumps(request), json.dumps(request)):
        standing.command("pub", "publish.requested", body)
    first, second = await letters(standing, 2)

    found = await total(standing, dead_letters=2)
    assert found["balanced"] is True
    standing.command("dead", "discard", str(first["number"]), "--yes")
    (standing.directory / "fixed.json").write_text(json.dumps({"post_id": post["id"], "targets": [DESTINATION]}))
    standing.command("dead", "replay", str(second["number"]), "--payload", "fixed.json")
    await total(standing, dead_letters=0, dead=0, pending=0)
    history = standing.said("trace", post["id"])
    assert history["post"]["state"] == "published"
    details = [step["detail"] for step in history["history"] if step["what"] == "job publish_queue"]
    assert sum("cancelled, discarded: Reject: target 'telegram:not a name!'" in detail for detail in details) == 1


async def test_a_discarded_post_counts_as_cancelled(standing: Any) -> None:
    """Of a route whose target is wrong every post dies, until a person decides."""
    line = {"message_id": 1, "sender_id": -1009, "date": "2026-01-01T00:00:00+00:00", "text": "Lost, whatever happens"}
    (standing.directory / "lost.jsonl").write_text(json.dumps(line))
    standing.command("import", "lost.jsonl", "--to", "telegram:not a name!")
    await total(standing, dead=1, dead_letters=1)
    [letter] = await letters(standing, 1)
    assert letter["post_id"]
    standing.command("dead", "discard", str(letter["number"]), "--yes")
    found = await total(standing, dead=0, dead_letters=0)
    assert found["cancelled"] == 1
    assert found["balanced"] is True
    assert standing.said("trace", letter["post_id"])["post"]["state"] == "cancelled"


def test_what_is_not_chosen_clearly_is_refused(standing: Any) -> None:
    assert standing.refusal("dead", "show", "99999") == (
        "postroom: there is no dead letter 99999; `postroom dead list` shows all"
    )
    name_one = "postroom: name one letter by its number, or a group by --fingerprint or another filter, or --all"
    assert standing.refusal("dead", "replay", code=2) == name_one
    assert standing.refusal("dead", "discard", "1", "--all", "--yes", code=2) == name_one
    assert standing.refusal("dead", "replay", "--queue", "nope", "--dry-run", code=2).startswith(
        "postroom: there is no queue nope; there are rewrite_queue, "
    )
    (standing.directory / "fixed.json").touch()
    done = standing.command("dead", "replay", "--all", "--payload", "fixed.json", check=False)
    assert done.returncode == 2
    assert "goes with the number of one letter" in done.stderr
