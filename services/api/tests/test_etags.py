"""ETags: nobody overwrites what somebody else has changed meanwhile."""

import asyncio

from .conftest import Api


async def test_an_unchanged_resource_is_not_sent_again(api: Api) -> None:
    created = await api.http.post("/profiles", json={"name": "p"})
    path = created.headers["location"].removeprefix("/api/v1")
    tag = (await api.http.get(path)).headers["etag"]
    assert tag == created.headers["etag"]
    for header in (tag, f'"other", W/{tag}', "*"):
        same = await api.http.get(path, headers={"If-None-Match": header})
        assert (same.status_code, same.content) == (304, b"")
    await api.http.patch(path, json={"style": "short"})
    changed = await api.http.get(path, headers={"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag


async def test_a_change_of_another_version_is_refused(api: Api) -> None:
    created = await api.http.post("/sources", json={"kind": "feed", "address": "https://a.example/feed"})
    path, tag = created.headers["location"].removeprefix("/api/v1"), created.headers["etag"]
    changed = await api.http.patch(path, json={"title": "one"}, headers={"If-Match": tag})
    assert changed.status_code == 200
    for header in (tag, f"W/{changed.headers['etag']}", '""', "garbage"):
        refused = await api.http.patch(path, json={"title": "two"}, headers={"If-Match": header})
        assert refused.status_code == 412
        assert (await api.http.delete(path, headers={"If-Match": header})).status_code == 412
    assert (await api.http.get(path)).json()["title"] == "one"
    assert (await api.http.patch(path, json={"title": "two"})).status_code == 200  # without If-Match nothing is asked
    assert (await api.http.delete(path, headers={"If-Match": "*"})).status_code == 204
    assert (await api.http.get(path)).status_code == 404


async def test_of_two_changes_at_once_one_is_refused(api: Api) -> None:
    created = await api.http.post("/profiles", json={"name": "p"})
    path, tag = created.headers["location"].removeprefix("/api/v1"), created.headers["etag"]
    answers = await asyncio.gather(
        *(api.http.patch(path, json={"style": f"style {n}"}, headers={"If-Match": tag}) for n in range(8))
    )
    assert sorted(answer.status_code for answer in answers) == [200] + [412] * 7


async def test_what_is_in_another_order_in_the_database_is_the_same(api: Api) -> None:
    post = await api.post()
    await api.database.execute(
        "INSERT INTO jobs (consumer, event_id, queue, subject, post_id, status, created_at)"
        " SELECT 'c', n::text, 'q', 's', $1, 'succeeded', '2026-01-01Z' FROM generate_series(1, 9) n",
        post,
    )
    tag = (await api.http.get(f"/posts/{post}")).headers["etag"]
    for number in "135":
        await api.database.execute("UPDATE jobs SET attempts = attempts WHERE event_id = $1", number)
        assert (await api.http.get(f"/posts/{post}")).headers["etag"] == tag
