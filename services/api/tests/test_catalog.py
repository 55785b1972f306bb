"""Sources, profiles, destinations and routes, from their creation to their end."""

from typing import Any

from .conftest import Api


async def created(api: Api, noun: str, **given: Any) -> dict[str, Any]:
    answer = await api.http.post(f"/{noun}", json=given)
    assert answer.status_code == 201, answer.text
    read = await api.http.get(answer.headers["location"].removeprefix("/api/v1"))
    assert read.json() == answer.json()
    return dict(answer.json())


async def test_only_an_admin_lets_a_feed_be_in_a_private_network(api: Api) -> None:
    """What is read of a feed becomes posts: it would be a way to what only machines inside can reach."""
    given = {"kind": "feed", "address": "http://10.0.0.1/status", "allow_private": True}
    writing = {"Authorization": f"Bearer {await api.token('write')}"}
    refused = await api.http.post("/sources", json=given, headers=writing)
    assert (refused.status_code, refused.json()["type"]) == (403, "/problems/forbidden")
    path = f"/sources/{(await created(api, 'sources', **given | {'allow_private': False}))['id']}"
    assert (await api.http.patch(path, json={"allow_private": True}, headers=writing)).status_code == 403
    assert (await api.http.get(path)).json()["allow_private"] is False
    assert (await api.http.patch(path, json={"allow_private": True})).status_code == 200
    for change in ({"title": "inside", "allow_private": True}, {"allow_private": False}):
        assert (await api.http.patch(path, json=change, headers=writing)).status_code == 200


async def test_a_source(api: Api) -> None:
    given = {
        "kind": "feed",
        "address": "https://a.example/feed",
        "schedule": "*/5 * * * mon-fri",
        "allow_private": True,
    }
    source = await created(api, "sources", **given)
    assert {name: source[name] for name in given} == given
    assert (await api.http.post("/sources", json=given)).status_code == 409
    path = f"/sources/{source['id']}"
    changed = (await api.http.patch(path, json={"title": "A", "schedule": None})).json()
    assert changed == source | {"title": "A", "schedule": None}
    assert (await api.http.patch(path, json={"kind": "telegram"})).status_code == 422  # it would be another source
    for schedule in ("every day", "* * * *", "", "* * * * * *", "; DROP TABLE sources", "0 9 31 2 *", "* * * * 8"):
        refused = await api.http.patch(path, json={"schedule": schedule})
        assert refused.status_code == 422
    assert refused.json()["errors"] == [
        {"in": "body", "pointer": "/schedule", "detail": "day of the week: '8' is not between 0 and 7"}
    ]
    collection = await api.http.post(f"{path}/collect")
    assert collection.status_code == 202
    [request] = await api.emitted("collect.requested")
    assert (request["source_id"], request["reason"]) == (source["id"], "manual")
    assert (await api.http.delete(path)).status_code == 204
    assert (await api.http.get(path)).status_code == 404


async def test_a_source_that_brought_posts_stays(api: Api) -> None:
    await api.post()
    [source] = (await api.http.get("/sources?kind=import")).json()["items"]
    path = f"/sources/{source['id']}"
    refused = await api.http.delete(path)
    assert (refused.status_code, refused.json()["type"]) == (409, "/problems/conflict")
    assert (await api.http.patch(path, json={"enabled": False})).json()["enabled"] is False
    assert (await api.http.get("/sources?enabled=true")).json()["items"] == []


async def test_a_profile_and_a_route(api: Api) -> None:
    profile = await created(api, "profiles", name="short", style="plain", max_length=500, keep=["links"])
    source = await created(api, "sources", kind="telegram", address="@a")
    given = {
        "name": "r",
        "source_id": source["id"],
        "profile_id": profile["id"],
        "targets": ["telegram:@there"],
        "approval": True,
        "broadcast": {"chats": ["@chat"], "delay_seconds": 5.5, "forward": True},
    }
    route = await created(api, "routes", **given)
    assert {name: route[name] for name in given} == given
    for wrong in (
        {"targets": []},
        {"targets": ["there"]},
        {"name": " "},
        {"profile_id": None},
        {"broadcast": {"x": 1}},
    ):
        assert (await api.http.patch(f"/routes/{route['id']}", json=wrong)).status_code == 422, wrong
    nobody = {"profile_id": "00000000-0000-0000-0000-000000000000"}
    assert (await api.http.patch(f"/routes/{route['id']}", json=nobody)).status_code == 422
    changed = (await api.http.patch(f"/routes/{route['id']}", json={"broadcast": None, "enabled": False})).json()
    assert changed == route | {"broadcast": None, "enabled": False}
    other = await created(api, "routes", **given | {"name": "other"})
    assert (await api.http.patch(f"/routes/{other['id']}", json={"name": "r"})).status_code == 409
    assert (await api.http.delete(f"/profiles/{profile['id']}")).status_code == 409
    listed = (await api.http.get(f"/routes?source_id={source['id']}&enabled=true")).json()["items"]
    assert [each["name"] for each in listed] == ["other"]
    for each in (route, other):
        assert (await api.http.delete(f"/routes/{each['id']}")).status_code == 204
    assert (await api.http.delete(f"/profiles/{profile['id']}")).status_code == 204


async def test_a_destination(api: Api) -> None:
    destination = await created(api, "destinations", address="telegram:@there", posts_per_hour=20)
    changed = await api.http.patch("/destinations/telegram:@there", json={"posts_per_hour": None, "title": "T"})
    assert changed.json() == destination | {"posts_per_hour": None, "title": "T"}
    for wrong in (0, -1, 2**31, 1.5, "many"):
        assert (
            await api.http.patch("/destinations/telegram:@there", json={"posts_per_hour": wrong})
        ).status_code == 422
    await created(api, "destinations", address="other:a/b?c=%d#e")
    assert (await api.http.get("/destinations/other:a%2Fb%3Fc=%25d%23e")).status_code == 200
    assert (await api.http.delete("/destinations/telegram:@there")).status_code == 204
    assert (await api.http.delete("/destinations/telegram:@there")).status_code == 404


async def test_every_change_is_in_the_audit_log(api: Api) -> None:
    profile = await created(api, "profiles", name="p")
    path = f"/profiles/{profile['id']}"
    await api.http.patch(path, json={"style": "short"})
    await api.http.patch(path, json={"max_length": -1})  # refused: no change
    await api.http.delete(path)
    entries = (await api.http.get(f"/audit-log?object=/api/v1{path}")).json()["items"]
    assert [entry["action"] for entry in entries] == ["delete_profile", "change_profile", "create_profile"]
    deleted, changed, added = entries
    assert added["before"] is None
    assert added["after"] == profile
    assert (changed["before"], changed["after"]) == (profile, profile | {"style": "short", "version": 2})
    assert (deleted["before"], deleted["after"]) == (profile | {"style": "short", "version": 2}, None)
    assert {entry["actor"] for entry in entries} == {"token:token-" + deleted["actor"].rpartition("-")[2]}
