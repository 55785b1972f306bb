"""Who may do what: every operation of the API, with every kind of token."""

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import httpx
import pytest
from fastapi.routing import iter_route_contexts

from api.http.application import make_application
from api.resources import routers
from common.tokens import SCOPES, Scope, Tokens

from .conftest import Api

ONLY_ADMINS = (
    "/api/v1/webhooks",
    "/api/v1/audit-log",
    "/api/v1/users",
    "/api/v1/tokens",
    "/api/v1/connections",
    "/api/v1/settings",
)


def operations() -> list[tuple[str, str]]:
    """Every method and path of the app, as the app itself has them."""
    app = make_application(routers())
    return sorted(
        (method, context.path_format)
        for context in iter_route_contexts(app.routes)
        if context.path_format != "/api/v1/openapi.json"
        for method in context.methods or ()
    )


def needed(method: str, path: str) -> Scope:
    """What the operation is meant to need; the app is not asked."""
    if path.startswith(ONLY_ADMINS) or path == "/api/v1/notifications/test":
        return "admin"
    if path.startswith("/api/v1/budgets") and method != "GET":
        return "admin"
    return "read" if method == "GET" or path == "/api/v1/events/tickets" else "write"


def filled(path: str) -> str:
    """A path with ids that nothing has."""
    values = {"hash": "0" * 64, "address": "telegram:@nobody", "consumer": "nobody", "event_id": "nothing"}
    values |= {"number": "7", "queue": "none", "login": "nobody", "name": "none"}
    nouns = "source profile route post broadcast notification webhook delivery content rule scheduled budget"
    for name in [*nouns.split(), "check", "trial", "operation", "alert"]:
        values[f"{name}_id"] = str(UUID(int=7))
    return path.format(**values)


async def test_every_operation_asks_for_a_valid_token_of_its_scope(api: Api) -> None:
    tokens = {scope: await api.token(scope) for scope in SCOPES}
    expired = await api.token("admin", expires_at=datetime.now(UTC) - timedelta(seconds=1))
    revoked, secret = await Tokens(api.database).create("revoked", "admin", expires_at=None, by="tests")
    await Tokens(api.database).revoke(revoked.name)
    refused = {
        "none": "",
        "another kind": "Basic dXNlcjpwYXNzd29yZA==",
        "empty": "Bearer",
        "wrong": "Bearer prt_wrong",
        "not ASCII": "Bearer prt_\u00ff",
        "cut": f"Bearer {tokens['admin'][:-1]}",
        "expired": f"Bearer {expired}",
        "revoked": f"Bearer {secret}",
    }

    async def check(method: str, path: str) -> None:
        async def ask(header: str) -> httpx.Response:
            headers = {"Authorization": header.encode("latin-1")}
            async with api.http.stream(method, api.url + filled(path), headers=headers) as answer:
                if not answer.headers["content-type"].startswith("text/event-stream"):  # that has no end
                    await answer.aread()
                return answer

        for name, header in refused.items():
            answer = await ask(header)
            assert answer.status_code == 401, (name, method, path)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert answer.json()["type"] == "/problems/unauthorized"
        for given in SCOPES:
            answer = await ask(f"Bearer {tokens[given]}")
            allowed = SCOPES.index(given) >= SCOPES.index(needed(method, path))
            assert (answer.status_code == 403) is not allowed, (given, method, path, answer.status_code)
            assert answer.status_code < 500, (given, method, path)

    every = operations()
    assert len(every) > 50
    await asyncio.gather(*(check(method, path) for method, path in every))


async def test_the_document_needs_no_token_and_names_the_scope_of_every_operation(api: Api) -> None:
    answer = await api.http.get("/openapi.json", headers={"Authorization": ""})
    document = answer.json()
    assert document["openapi"] == "3.1.0"
    said = {
        (method.upper(), path): operation["security"][0]["token"][0]
        for path, found in document["paths"].items()
        for method, operation in found.items()
    }
    assert said == {(method, path): needed(method, path) for method, path in operations()}


async def test_a_refused_request_has_no_effect(api: Api) -> None:
    reader = {"Authorization": f"Bearer {await api.token('read')}"}
    answer = await api.http.post("/profiles", json={"name": "mine"}, headers=reader)
    assert answer.status_code == 403
    assert (await api.http.get("/profiles")).json()["items"] == []


async def test_the_last_use_of_a_token_is_noted_once_a_minute(api: Api) -> None:
    async def noted() -> list[datetime | None]:
        return [token.last_used_at for token in await Tokens(api.database).all()]

    await api.http.get("/posts")
    [first] = await noted()
    assert first
    await api.http.get("/posts")
    assert await noted() == [first]
    await api.database.execute("UPDATE api_tokens SET last_used_at = last_used_at - interval '2 minutes'")
    await api.http.get("/posts")
    [later] = await noted()
    assert later
    assert later >= first


@pytest.mark.parametrize("environment", [{"API_REQUESTS_PER_MINUTE": "5"}])
async def test_a_token_that_calls_too_often_is_told_when_to_come_back(api: Api) -> None:
    answers = [await api.http.get("/posts") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [200] * 5 + [429]
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
    another = {"Authorization": f"Bearer {await api.token('read')}"}
    assert (await api.http.get("/posts", headers=another)).status_code == 200
