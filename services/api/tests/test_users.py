"""Users and tokens over HTTP."""

import asyncio
import json
import os

import pytest

from common.testing.waiting import eventually
from common.users import Sessions
from common.users.settings import SignInSettings

from .conftest import Api

PASSWORD = "correct horse battery"


async def test_a_user_from_creation_to_the_end(api: Api) -> None:
    given = {"login": "Anna", "name": "Anna K.", "role": "editor", "password": PASSWORD}
    answer = await api.http.post("/users", json=given)
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == "/api/v1/users/anna"
    made = answer.json()
    assert (made["login"], made["role"], made["disabled_at"]) == ("anna", "editor", None)
    assert "password" not in made
    assert (await api.http.post("/users", json=given)).status_code == 409

    sessions = Sessions(api.database, SignInSettings())
    _, secret = await sessions.sign_in("anna", PASSWORD, address="192.0.2.1", agent="Chromium")
    [listed] = (await api.http.get("/users/anna/sessions")).json()["items"]
    assert (listed["address"], listed["agent"]) == ("192.0.2.1", "Chromium")

    read = await api.http.get("/users/anna")
    stale = {"If-Match": '"another"'}
    assert (await api.http.patch("/users/anna", json={"role": "viewer"}, headers=stale)).status_code == 412
    same = {"If-Match": read.headers["etag"]}
    changed = await api.http.patch("/users/anna", json={"role": "viewer", "time_zone": "Asia/Omsk"}, headers=same)
    assert (changed.json()["role"], changed.json()["name"]) == ("viewer", "Anna K.")
    for wrong in ({"role": "root"}, {"time_zone": "Mars"}, {"theme": "pink"}, {"login": "b"}, {"name": ""}):
        assert (await api.http.patch("/users/anna", json=wrong)).status_code == 422, wrong

    assert (await api.http.put("/users/anna/password", json={"password": "another long one"})).status_code == 200
    assert await sessions.check(secret) is None
    _, secret = await sessions.sign_in("anna", "another long one", address="192.0.2.1", agent="")
    assert (await api.http.delete("/users/anna/sessions")).status_code == 204
    assert await sessions.check(secret) is None
    _, secret = await sessions.sign_in("anna", "another long one", address="192.0.2.1", agent="")
    assert (await api.http.post("/users/anna/disable")).json()["disabled_at"]
    assert await sessions.check(secret) is None
    assert (await api.http.post("/users/anna/enable")).json()["disabled_at"] is None
    assert [each["login"] for each in (await api.http.get("/users")).json()["items"]] == ["anna"]
    assert (await api.http.get("/users/nobody")).status_code == 404

    entries = (await api.http.get("/audit-log")).json()["items"]
    assert {"create_user", "change_user", "set_password", "disable_user", "enable_user"} <= {
        entry["action"] for entry in entries
    }
    assert entries[0]["object"] == "/api/v1/users/anna/enable"
    written = json.dumps(entries)
    assert PASSWORD not in written
    assert "another long one" not in written
    assert "argon2" not in written


async def test_what_is_no_user_is_refused(api: Api) -> None:
    right = {"login": "anna", "password": PASSWORD}
    for wrong in ({"login": "a b"}, {"login": ""}, {"password": "short"}, {"role": "root"}, {"password": "a" * 12}):
        answer = await api.http.post("/users", json=right | wrong)
        assert answer.status_code == 422, wrong
        assert answer.json()["errors"][0]["pointer"] == f"/{next(iter(wrong))}"
    assert (await api.http.get("/users")).json()["items"] == []


async def test_the_last_administrator_stays(api: Api) -> None:
    for login in ("anna", "boris"):
        given = {"login": login, "role": "admin", "password": PASSWORD}
        assert (await api.http.post("/users", json=given)).status_code == 201
    answers = await asyncio.gather(
        api.http.post("/users/anna/disable"), api.http.patch("/users/boris", json={"role": "viewer"})
    )
    assert sorted(answer.status_code for answer in answers) == [200, 409]


async def test_a_token_from_creation_to_revocation(api: Api) -> None:
    answer = await api.http.post("/tokens", json={"name": "script", "scope": "read"})
    assert answer.status_code == 201
    assert answer.headers["location"] == "/api/v1/tokens/script"
    secret = answer.json()["secret"]
    theirs = {"Authorization": f"Bearer {secret}"}
    assert (await api.http.get("/posts", headers=theirs)).status_code == 200
    assert (await api.http.get("/tokens", headers=theirs)).status_code == 403
    assert (await api.http.post("/tokens", json={"name": "script"})).status_code == 409
    for wrong in ({"name": "a b"}, {"name": "b", "scope": "root"}, {"name": "b", "expires_at": "2001-01-01T00:00:00Z"}):
        assert (await api.http.post("/tokens", json=wrong)).status_code == 422, wrong
    listed = (await api.http.get("/tokens")).text
    assert '"script"' in listed
    assert secret not in listed
    assert (await api.http.post("/tokens/script/revoke")).json()["revoked_at"]
    assert (await api.http.post("/tokens/script/revoke")).status_code == 404
    assert (await api.http.get("/posts", headers=theirs)).status_code == 401
    entries = (await api.http.get("/audit-log")).json()["items"]
    assert [(each["action"], each["object"]) for each in entries if "token" in each["action"]] == [
        ("revoke_token", "/api/v1/tokens/script/revoke"),
        ("create_token", "/api/v1/tokens/script"),
    ]
    assert secret not in json.dumps(entries)


async def test_connections_say_how_they_are_and_what_they_need(api: Api) -> None:
    await api.database.execute(
        "INSERT INTO service_beats (service, replica, address, ready, checks, version) VALUES"
        " ('publisher', gen_random_uuid(), 'here', true, $1, '0.1.0'),"
        " ('collector', gen_random_uuid(), 'there', false, $2, '0.1.0')",
        {
            "telegram": {"state": "ready", "said": ""},
            "x": {"state": "unset", "said": "X has no accounts here: set X_ACCOUNTS"},
        },
        {"telegram": {"state": "wrong", "said": "the session is dead"}},
    )
    report = (await api.http.get("/connections")).json()
    found = {each["name"]: (each["state"], each["said"]) for each in report["connections"]}
    assert found["database"] == found["nats"] == found["bot"] == ("ready", "")
    assert found["x"] == ("unset", "X has no accounts here: set X_ACCOUNTS")
    assert found["reading"] == ("wrong", "the session is dead")
    assert found["model"] == ("silent", "")
    assert report["well"] is False
    assert report["versions"]["nats"].startswith("2.")


@pytest.mark.parametrize("environment", [{"SMTP_PASSWORD": "hush-hush", "LOGS_KEEP_DAYS": "3"}])
async def test_settings_are_shown_without_secrets(api: Api) -> None:
    answer = await api.http.get("/settings")
    found = {each["name"]: each for each in answer.json()["items"]}
    assert found["SMTP_PASSWORD"]["value"] == found["DATABASE_URL"]["value"] == "(set)"
    assert "hush-hush" not in answer.text
    assert os.environ["DATABASE_URL"] not in answer.text
    assert (found["LOGS_KEEP_DAYS"]["value"], found["LOGS_KEEP_DAYS"]["is_default"]) == ("3.0", False)
    assert found["NOTIFY_EMAIL_TO"]["value"] == ""


async def test_a_test_message_goes_the_way_of_notifications(api: Api) -> None:
    answer = await api.http.post("/notifications/test")
    assert answer.status_code == 202

    async def arrived() -> bool:
        listed = (await api.http.get("/notifications", params={"kind": "api.test_message"})).json()["items"]
        return [each["fingerprint"] for each in listed] == [answer.json()["fingerprint"]]

    await eventually(arrived)
