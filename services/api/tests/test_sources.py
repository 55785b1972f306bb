"""What is known of sources: checks of their addresses, what they bring, their runs."""

import pytest

from .conftest import Api


async def test_a_check_is_asked_for_and_answered(api: Api) -> None:
    asked = await api.http.post("/sources/check", json={"address": "https://t.me/s/City_news/12"})
    assert asked.status_code == 202
    check = asked.json()
    assert (check["kind"], check["address"], check["status"]) == ("telegram", "@city_news", "waiting")
    [event] = await api.emitted("check.requested")
    assert event == {"check_id": check["id"], "kind": "telegram", "address": "@city_news", "allow_private": False}
    path = asked.headers["location"].removeprefix("/api/v1")
    assert (await api.http.get(path)).json() == check
    await api.database.execute(
        "UPDATE source_checks SET answered_at = now(), finding = $1",
        {"what": "channel", "title": "City", "posts": 4, "newest": [{"text": "A", "at": None, "url": None}]},
    )
    source = await api.source("telegram", "@city_news")
    answered = (await api.http.get(path)).json()
    assert (answered["status"], answered["title"], answered["posts"]) == ("readable", "City", 4)
    assert answered["source_id"] == str(source)
    assert answered["newest"] == [{"text": "A", "at": None, "url": None}]
    actions = [entry["action"] for entry in (await api.http.get("/audit-log")).json()["items"]]
    assert "check_source" not in actions  # nothing was changed


async def test_what_stands_in_the_way_is_said_with_what_to_do(api: Api) -> None:
    check = (await api.http.post("/sources/check", json={"address": "example.com/news"})).json()
    assert (check["kind"], check["address"]) == ("feed", "https://example.com/news")
    path = f"/sources/checks/{check['id']}"
    await api.database.execute(
        "UPDATE source_checks SET answered_at = now(), finding = $1",
        {"trouble": "not_a_feed", "detail": "not a feed", "suggestions": [{"address": "https://a/x", "title": "X"}]},
    )
    found = (await api.http.get(path)).json()
    assert (found["status"], found["trouble"], found["detail"]) == ("unreadable", "not_a_feed", "not a feed")
    assert found["advice"].startswith("Give the address of the feed itself")
    assert found["suggestions"] == [{"address": "https://a/x", "title": "X"}]
    await api.database.execute(
        "UPDATE source_checks SET answered_at = NULL, finding = NULL, asked_at = now() - interval '1 minute'"
    )
    nobody = (await api.http.get(path)).json()
    assert (nobody["status"], nobody["trouble"]) == ("unreadable", "unanswered")
    await api.database.execute("UPDATE source_checks SET asked_at = now() - interval '2 days'")
    await api.http.post("/sources/check", json={"address": "@other_news"})
    assert (await api.http.get(path)).status_code == 404


@pytest.mark.parametrize(
    "address", ["", "two words", "t.me/+AbCdEf", "t.me/joinchat/AAAA", "ftp://a.example/feed", "@a", "x"]
)
async def test_what_is_no_address_is_refused(api: Api, address: str) -> None:
    answer = await api.http.post("/sources/check", json={"address": address})
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/address"


async def test_an_address_has_one_kind(api: Api) -> None:
    for given, kind, address in (
        ("@City_News", "telegram", "@city_news"),
        ("city_news", "telegram", "@city_news"),
        ("-1001234567890", "telegram", "-1001234567890"),
        ("https://t.me/c/1234567890/17", "telegram", "-1001234567890"),
        ("HTTPS://Example.com/feed", "feed", "HTTPS://Example.com/feed"),
    ):
        check = (await api.http.post("/sources/check", json={"address": given})).json()
        assert (check["kind"], check["address"]) == (kind, address)
    wrong = await api.http.post("/sources/check", json={"address": "@city_news", "kind": "feed"})
    assert wrong.status_code == 422


async def test_only_an_admin_looks_into_a_private_network(api: Api) -> None:
    given = {"address": "http://10.0.0.1/feed", "allow_private": True}
    writing = {"Authorization": f"Bearer {await api.token('write')}"}
    assert (await api.http.post("/sources/check", json=given, headers=writing)).status_code == 403
    reading = {"Authorization": f"Bearer {await api.token('read')}"}
    assert (await api.http.post("/sources/check", json={"address": "@a_b"}, headers=reading)).status_code == 403
    assert (await api.http.post("/sources/check", json=given)).status_code == 202


async def test_what_sources_bring(api: Api) -> None:
    first = await api.post("One text of a post that came in")
    await api.post("One text of a post that came in")
    await api.post("Another text of a post that came in")
    await api.database.execute("UPDATE posts SET collected_at = now() - interval '150 minutes' WHERE id = $1", first)
    source = await api.source()
    silent = (
        await api.http.post("/sources", json={"kind": "feed", "address": "https://a", "schedule": "0 9 * * *"})
    ).json()
    found = await api.http.get("/sources/activity", params={"source_id": [str(source), silent["id"]]})
    activity = {each["source_id"]: each for each in found.json()["items"]}
    assert activity[str(source)]["posts"] == 3
    assert activity[str(source)]["duplicates"] == 1
    assert activity[str(source)]["hours"] == [0] * 21 + [1, 0, 2]
    assert activity[str(source)]["next_run_at"] is None
    assert activity[silent["id"]]["hours"] == [0] * 24
    assert activity[silent["id"]]["next_run_at"].endswith("T09:00:00Z")
    await api.http.patch(f"/sources/{silent['id']}", json={"enabled": False})
    found = await api.http.get("/sources/activity", params={"source_id": silent["id"]})
    assert found.json()["items"][0]["next_run_at"] is None
    assert (await api.http.get("/sources/activity")).status_code == 422


async def test_the_runs_of_a_source(api: Api) -> None:
    source = await api.source()
    await api.database.execute(
        "INSERT INTO source_runs (source_id, brought, duplicates, error)"
        " VALUES ($1, 3, 1, NULL), ($1, 0, 0, 'HTTP 404')",
        source,
    )
    first = (await api.http.get(f"/sources/{source}/runs?limit=1")).json()
    rest = (await api.http.get(f"/sources/{source}/runs", params={"cursor": first["next"]})).json()
    runs = first["items"] + rest["items"]
    assert [(run["brought"], run["duplicates"], run["error"]) for run in runs] == [(0, 0, "HTTP 404"), (3, 1, None)]
    assert (await api.http.get(f"/sources/{'0' * 8}-0000-0000-0000-{'0' * 12}/runs")).status_code == 404


async def test_sources_are_found_by_words_and_by_how_they_do(api: Api) -> None:
    well, ill = await api.source("feed", "https://one.example/feed"), await api.source("telegram", "@City_news")
    await api.http.patch(f"/sources/{well}", json={"title": "Городские новости"})
    for source, error in ((well, None), (ill, "CHANNEL_PRIVATE")):
        await api.database.execute("INSERT INTO source_states (source_id, last_error) VALUES ($1, $2)", source, error)
    for query, found in (("q=НОВОСТИ", well), ("q=city_", ill), ("failing=true", ill), ("failing=false", well)):
        assert [each["id"] for each in (await api.http.get(f"/sources?{query}")).json()["items"]] == [str(found)]
