"""The commands, as a user meets them, against a stack that runs."""

import json
import re
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from common.telemetry import names
from common.testing.waiting import eventually

DESTINATION = "telegram:@postroom_demo"


def texts(place: Any) -> list[str]:
    """The texts in the destination channel of the sandbox."""
    state = json.loads((place.directory / ".postroom/corpus/sandbox/sandbox.json").read_text())
    [channel] = state["telegram"]["destinations"]
    url = f"{state['http']['url']}/api/chats/{channel['id']}/messages"
    return [message["text"] for message in httpx.get(url, params={"limit": 200}).json()]


async def trace(place: Any, post_id: str, until: str) -> list[dict[str, Any]]:
    """The history of a post, once it holds a step."""

    async def probe() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = place.said("trace", post_id)["history"]
        return found if any(step["what"] == until for step in found) else []

    return await eventually(probe, within=30)


async def test_logs_tell_of_a_post_across_all_services(standing: Any) -> None:
    post = standing.said("trace", "--state", "published")[0]["id"]

    async def ended() -> dict[str, Any]:
        found = {each["job_id"].partition("/")[0]: each for each in standing.said("logs", "--post", post)}
        return found if {"rewriter", "scheduler-routes", "publisher"} <= found.keys() else {}

    records = await eventually(ended, within=30)
    assert {each["event"] for each in records.values()} == {"job ended"}
    assert {each["fields"]["status"] for each in records.values()} == {"succeeded"}
    assert records["rewriter"]["service"] == "rewriter"
    [trace_id] = {each["trace_id"] for each in records.values()}  # one trace for all of it
    assert {each["post_id"] for each in standing.said("logs", "--trace", trace_id)} == {post}
    up = standing.said("logs", "--text", "is up", "--level", "info")  # only in the files of this machine
    assert {each["service"] for each in up} >= {"api", "collector", "rewriter", "publisher"}


def test_status_says_how_everything_is(standing: Any) -> None:
    status = standing.said("status")
    assert {row["service"] for row in status["services"]} == {
        "api", "collector", "imagegen", "publisher", "rewriter", "scheduler", "userbot",
    }  # fmt: skip
    total = status["posts"]["total"]
    assert total["balanced"] is True
    assert total["published"] >= 11
    queues = {queue["queue"]: queue for queue in status["queues"]}
    assert queues.keys() >= {"collector_queue", "rewrite_queue", "publish_queue"}
    rewrites = queues["rewrite_queue"]
    assert rewrites["succeeded"] >= 11
    assert (rewrites["failure_share"], rewrites["priority"], rewrites["pause"]) == (0, "high", None)
    assert rewrites["average_run_seconds"] > 0
    assert rewrites["seconds"]["p50"] <= rewrites["seconds"]["p99"]
    assert rewrites["average_retries"] >= 0
    assert sum(model["calls"] for model in status["models"]) >= 11
    refused = standing.command("status", "--window", "2h", check=False)
    assert refused.returncode == 2
    assert "5m, 1h, 24h" in refused.stderr
    human = standing.command("status").stdout
    assert re.search(r"^Posts from +collected +published +duplicates", human, re.MULTILINE)
    assert re.search(r"^Channel 1 +\d", human, re.MULTILINE)
    assert re.search(r"^publish_queue +0 ", human, re.MULTILINE)


def test_every_service_exports_registered_metrics_only(standing: Any) -> None:
    known = {series: set(metric.labels) for metric in names.registered() for series in metric.series}
    told: dict[str, dict[str, float]] = {}
    for row in standing.said("status")["services"]:
        text = httpx.get(f"http://{row['address']}/metrics", timeout=20).raise_for_status().text
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                if sample.name not in names.PROCESS:
                    assert known.keys() >= {sample.name}, f"{row['service']} exports {sample.name}"
                    assert sample.labels.keys() - {"le"} == known[sample.name], sample
                told.setdefault(row["service"], {}).setdefault(sample.name, 0.0)
                told[row["service"]][sample.name] += sample.value
    assert told.keys() == {"api", "collector", "imagegen", "publisher", "rewriter", "scheduler", "userbot"}
    assert told["publisher"]["postroom_publications_total"] >= 11
    assert told["publisher"]["postroom_send_seconds_count"] >= 11
    assert told["rewriter"]["postroom_jobs_total"] >= 11
    assert told["rewriter"]["postroom_model_tokens_total"] > 0
    assert told["collector"]["postroom_posts_collected_total"] >= 12
    assert told["api"]["postroom_ledger_balanced"] == 1
    assert told["api"]["postroom_replicas"] == 7  # each of the services has one


def test_a_trace_tells_everything_in_order(standing: Any) -> None:
    post = next(post for post in standing.said("trace") if post["state"] == "published")
    found = standing.said("trace", post["id"])
    assert found["post"]["state"] == "published"
    steps = [step["what"] for step in found["history"]]
    expected = (
        "collected", "job rewrite_queue", "rewritten", "job route_queue", "routed", "publish requested", "first try",
        "publication succeeded", "package succeeded",
    )  # fmt: skip
    told = [step for step in steps if step in expected]
    assert told[: len(expected)] == list(expected)
    assert told[len(expected) :] in ([], ["job route_queue"])  # whether its route asks for a broadcast
    collected, *rest = found["history"]
    assert re.fullmatch(r"[0-9a-f]{32}", collected["trace_id"])  # that of the run which brought it, with others
    [own] = {step["trace_id"] for step in rest if step["trace_id"]}
    assert re.fullmatch(r"[0-9a-f]{32}", own)
    human = standing.command("trace", post["id"]).stdout
    assert "publication succeeded" in human
    assert "· published" in human


def test_a_post_that_is_not_there(standing: Any) -> None:
    nobody = "00000000-0000-0000-0000-000000000000"
    assert standing.refusal("trace", nobody) == f"postroom: there is no post {nobody}"
    assert standing.command("trace", "nonsense", check=False).returncode == 2


def test_a_state_that_there_is_not(connected: Any) -> None:
    done = connected.command("trace", "--state", "nope", check=False)
    assert done.returncode == 2
    assert "nope is not one of" in done.stderr
    assert connected.command("trace", "--state", "rejected").stdout == "No posts.\n"
    assert connected.said("trace", "--state", "rejected") == []


async def test_a_post_that_is_published_already_is_left_out(standing: Any) -> None:
    post = next(post for post in standing.said("trace") if post["state"] == "published")
    before = texts(standing)
    receipt = standing.said("pub", "publish.requested", "-", stdin=json.dumps({"post_id": post["id"]}))
    assert receipt["stream"] == "PUBLISH"
    history = await trace(standing, post["id"], until="package cancelled")
    reason = next(step["detail"] for step in history if step["what"] == "package cancelled")
    assert f"{DESTINATION} left out: already published" in reason
    assert texts(standing) == before


async def test_a_text_of_ones_own_is_published(standing: Any) -> None:
    own = json.dumps({"text": "**Своими** словами", "targets": [DESTINATION]}, ensure_ascii=False)
    assert "PUBLISH has it as message" in standing.command("pub", "publish.requested", own).stdout

    async def arrived() -> int:
        return texts(standing).count("Своими словами")

    assert await eventually(arrived, within=30) == 1


def test_a_subject_that_nobody_takes_is_refused(standing: Any) -> None:
    for subject in ("publish.request", "publish.>", "nonsense"):
        done = standing.command("pub", subject, "{}", check=False)
        assert done.returncode == 2
        assert f"nobody takes {subject}" in " ".join(done.stderr.split())
    assert standing.refusal("pub", "nonsense", "{}", "--anyway") == (
        "postroom: no stream takes nonsense; is it misspelt?"
    )


async def test_a_file_is_imported_once(standing: Any) -> None:
    lines = [
        {
            "message_id": n,
            "sender_id": -1005,
            "date": "2026-01-01T00:00:00+00:00",
            "text": f"Запись из архива: {n * 'я'}",
        }
        for n in (11, 12, 13)
    ]
    file = standing.directory / "archive.jsonl"
    file.write_text("\n".join(json.dumps(line) for line in lines[:2]) + "\n")
    assert "no route takes posts of archive" in standing.refusal("import", "archive.jsonl")
    assert standing.said("import", "archive.jsonl", "--to", DESTINATION) == {
        "added": 2, "duplicates": 0, "there before": 0,
    }  # fmt: skip
    assert standing.said("import", "archive.jsonl") == {"added": 0, "duplicates": 0, "there before": 2}

    # What was added before a line that can't be read stays; the rest comes when the line is mended.
    file.write_text("\n".join([*(json.dumps(line) for line in lines), '{"message_id": ']) + "\n")
    refusal = standing.refusal("import", "archive.jsonl")
    assert refusal.startswith("postroom: archive.jsonl, line 4: it is not JSON: ")
    assert "(1 posts were added before that; importing again is safe)" in refusal
    file.write_text("\n".join(json.dumps(line) for line in lines) + "\n")
    assert standing.command("import", "archive.jsonl").stdout == "0 added, 0 duplicates, 3 there before\n"

    async def published() -> bool:
        sources = standing.said("status")["posts"]["sources"]
        return bool(sources["archive"]["published"] == 3)

    await eventually(published, within=30)


async def test_an_export_of_telegram_desktop_is_imported_once(standing: Any) -> None:
    message = {
        "id": 7,
        "type": "message",
        "date_unixtime": "1767225600",
        "text": ["Выставка в ", {"type": "bold", "text": "музее"}],
    }
    service = {"id": 8, "type": "service", "date_unixtime": "1767225600", "text": ""}
    export = {"name": "Channel", "type": "public_channel", "id": 1234, "messages": [message, service]}
    (standing.directory / "result.json").write_text(json.dumps(export, indent=1))
    to = ("--name", "desktop", "--to", DESTINATION)
    assert standing.said("import", "result.json", *to)["added"] == 1
    assert standing.said("import", "result.json", *to) == {"added": 0, "duplicates": 0, "there before": 1}
    (standing.directory / "result.json").write_text("{\n nonsense")
    assert standing.refusal("import", "result.json", *to).startswith("postroom: result.json, line 2: ")


def test_what_cannot_be_imported(standing: Any) -> None:
    for name, contents, problem in (
        ("bytes.jsonl", b"\xff\xfe", "bytes.jsonl: it is not UTF-8"),
        ("other.json", b"[]", "other.json: neither an export of Telegram Desktop (result.json) nor JSONL"),
        ("number.jsonl", b'{"message_id": "x", "sender_id": 1}', "number.jsonl, line 1: date is missing"),
    ):
        (standing.directory / name).write_bytes(contents)
        assert problem in standing.refusal("import", name, "--to", DESTINATION)
    wrong = standing.command("import", "other.json", "--to", "postroom_demo", check=False)
    assert wrong.returncode == 2
    assert "postroom_demo is not platform:address" in " ".join(wrong.stderr.split())


def test_characters_that_postgresql_does_not_take_are_left_out(standing: Any) -> None:
    line = {"message_id": 1, "sender_id": 5, "date": "2026-01-01T00:00:00+00:00", "text": "a\x00b \ud83d c"}
    (standing.directory / "odd.jsonl").write_text(json.dumps(line))
    assert standing.said("import", "odd.jsonl", "--to", DESTINATION)["added"] == 1


def test_a_catalog_is_applied_whole_or_not_at_all(standing: Any) -> None:
    file = standing.directory / "my.toml"
    source = '[[source]]\nkind = "feed"\naddress = "http://feeds.test/"\n'
    route = '[[route]]\nname = "r"\nsource = "http://feeds.test/"\nprofile = "plain"\ntargets = ["{}"]\n'
    for contents, problem in (
        (
            '[[source]]\nkind = "feed"\nadress = "x"\n',
            "source 1 address: Field required; source 1 adress: there is no such key",
        ),
        (source + route.format(DESTINATION), "route r: the file has no profile plain"),
        ('[[profile]]\nname = "plain"\n' + route.format("nowhere"), "route 1 targets 1: String should match"),
        ("x = [", "my.toml: "),
    ):
        file.write_text(contents)
        assert problem in standing.refusal("catalog", "apply", "my.toml")
    addresses = {row["address"] for row in standing.said("catalog", "show")}
    assert "http://feeds.test/" not in addresses
    file.write_text(source + '[[profile]]\nname = "plain"\n' + route.format(DESTINATION))
    assert standing.command("catalog", "apply", "my.toml").stdout == "1 source, 1 profile, 0 destinations, 1 route\n"
    assert standing.said("catalog", "apply", "my.toml")["routes"] == 1
    [row] = [row for row in standing.said("catalog", "show") if row["address"] == "http://feeds.test/"]
    assert [route["targets"] for route in row["routes"]] == [[DESTINATION]]
    assert re.search(r"^http://feeds\.test/ +feed", standing.command("catalog", "show").stdout, re.MULTILINE)


def test_the_api_answers_to_a_token(standing: Any) -> None:
    url = json.loads((standing.directory / ".postroom/running.json").read_text())["api_url"]
    assert url in (standing.directory / "up.log").read_text()
    token = standing.command("token", "create", "reader").stdout.strip()
    with httpx.Client(base_url=url, headers={"Authorization": f"Bearer {token}"}) as client:
        [post, *_] = client.get("/posts", params={"state": "published"}).json()["items"]
        found = client.get(f"/posts/{post['id']}").json()
        [publication] = found["publications"]
        assert publication["status"] == "succeeded"
        assert publication["message_ids"]
        assert all(job["trace_id"] for job in found["jobs"])
        assert client.post(f"/posts/{post['id']}/publish", json={}).status_code == 403
        standing.command("token", "revoke", "reader")
        assert client.get("/posts").status_code == 401


def test_jobs_of_a_queue_that_there_is_not(connected: Any) -> None:
    for arguments in (("list",), ("cancel", "--dry-run")):
        said = connected.refusal("jobs", *arguments, "--queue", "write_queue", code=2)
        assert said.startswith("postroom: there is no queue write_queue; there are rewrite_queue, ")


def test_a_second_stack_is_refused_here(standing: Any) -> None:
    refusal = standing.refusal("up", "--corpus", "corpus")
    assert re.fullmatch(
        r"postroom: a stack runs here already \(process \d+\); stop it first, or use another directory", refusal
    )
    assert standing.said("status")["services"]


async def test_jobs_are_found_retried_and_cancelled(standing: Any) -> None:
    for body in ('{"text": ', "[]"):
        standing.command("pub", "publish.requested", body)

    async def both() -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = standing.said("jobs", "list", "--status", "failed", "--queue", "publish_queue")
        return found if len(found) == 2 else []

    second, first = await eventually(both, within=30)
    key = f"{first['consumer']}/{first['event_id']}"
    assert standing.said("jobs", "list", "--error", "EOF WHILE PARSING", "--error-class", "ValidationError") == [first]
    shown = standing.said("jobs", "show", key)
    assert (shown["payload"], shown["status"], shown["attempts"]) == ('{"text": ', "failed", 1)
    assert [run["outcome"] for run in shown["runs"]] == ["failed"]
    human = standing.command("jobs", "show", key).stdout
    assert re.search(r"^dead letter +\d+: `postroom dead show \d+`$", human, re.MULTILINE)
    assert human.endswith('\n{"text": \n')
    assert re.search(rf"^{key} .* publish_queue +failed +1 ", standing.command("jobs", "list").stdout, re.MULTILINE)

    assert standing.said("jobs", "retry", key) == {"retried": 1}

    async def failed_again() -> bool:
        return bool(standing.said("jobs", "show", key)["attempts"] == 2 and await both())

    await eventually(failed_again, within=30)
    chosen = ("--consumer", "publisher", "--status", "failed")
    assert standing.command("jobs", "cancel", *chosen, "--dry-run").stdout == "2 jobs match.\n"
    unsure = standing.command("jobs", "cancel", *chosen, stdin="n\n", check=False)
    assert (unsure.returncode, "Cancel 2 jobs?" in unsure.stderr) == (1, True)
    cancelled = standing.said("jobs", "cancel", *chosen, "--yes", "--reason", "a test")
    assert (cancelled["cancelled"], cancelled["refused"]) == (2, 0)
    assert standing.said("jobs", "show", key)["status"] == "cancelled"
    assert standing.said("dead", "list") == []
    assert standing.refusal("jobs", "cancel", f"{second['consumer']}/{second['event_id']}") == (
        "postroom: it is cancelled already"
    )
    for wrong in (("retry",), ("retry", key, "--all"), ("retry", "nonsense"), ("list", "--status", "dead")):
        assert standing.command("jobs", *wrong, check=False).returncode == 2
    assert standing.command("jobs", "retry", "--status", "succeeded", "--yes", check=False).returncode == 2
    assert standing.refusal("jobs", "show", "publisher/nothing") == "postroom: there is no job publisher/nothing"
