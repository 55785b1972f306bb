"""Who may do what: every route of the panel that acts, for every role. What is offered is in test_every_screen."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from uuid import UUID

import httpx
import pytest
from fastapi.routing import APIRoute

from api.panel.screens import screens
from common.testing.newsroom import Newsroom

from ..conftest import Api
from .people import Role, Someone

OWN = {"/prefs", "/settings/profile", "/settings/password", "/settings/sessions/{session_id}/end",
       "/settings/sessions/end-others"}  # fmt: skip # what everybody may do
OPEN = {"/sign-in", "/sign-out", "/set-up"}
ADMINISTERED = ("/settings",)
# What only shows something of what was typed: no act, so that nothing is recorded.
SHOWN = (200, 422)
IDLE = {"/calendar/posts/{scheduled_id}/move", "/queues/{queue}/settings"}  # given nothing, they do nothing
REFUSED = (403, 404, 409, 422)


def acting() -> list[str]:
    """The paths of all routes that are not only read."""
    found: list[Any] = [route for router in screens() for route in router.routes]
    return sorted({route.path for route in found if isinstance(route, APIRoute) and route.methods != {"GET"}})


def filled(path: str, room: Newsroom) -> str:
    """An address with the ids of what there is."""
    values = {
        "post_id": room.posts["awaiting"][0],
        "rule_id": next(iter(room.rules.values())),
        "profile_id": next(iter(room.profiles.values())),
        "route_id": next(iter(room.routes.values())),
        "source_id": next(iter(room.sources.values())),
        "broadcast_id": room.broadcasts[0],
        "scheduled_id": room.scheduled[0],
        "digest": room.images[0],
        "number": room.letters[0],
        "operation_id": room.operations[0],
        "webhook_id": room.webhooks[0],
        "budget_id": room.budgets[0],
        "trial_id": room.trials[0],
        "queue": "rewrite_queue",
        "consumer": room.jobs[0].partition("/")[0],
        "event_id": room.jobs[0].partition("/")[2],
        "event_id:path": room.jobs[0].partition("/")[2],
        "login": "editor",
        "name": "token-1",
        "verb": "delete" if path.startswith("/rules") else "disable",
    }
    filled = path
    while "{" in filled:
        name = filled.partition("{")[2].partition("}")[0]
        filled = filled.replace(f"{{{name}}}", str(values.get(name, UUID(int=7))))
    return filled


@asynccontextmanager
async def somebody(api: Api, role: Role | None, site: str = "same-origin") -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=api.url, headers={"Sec-Fetch-Site": site}, timeout=30) as client:
        if role:
            cookie = await Someone(role).cookie(api.database, api.url)
            client.cookies.set(cookie["name"], cookie["value"])
        yield client


async def done(api: Api) -> list[str]:
    """What people did, beside signing in."""
    rows = await api.database.fetch(
        "SELECT actor, action FROM audit_log WHERE actor ~ '^user:(viewer|editor|admin)$' AND action <> 'sign_in'"
    )
    return [f"{row['actor']} {row['action']}" for row in rows]


async def test_there_is_much_to_do() -> None:
    assert len(acting()) > 40
    assert set(acting()) >= OWN | OPEN


@pytest.mark.parametrize("role", ["viewer", "editor"])
async def test_nobody_does_what_their_role_does_not_allow(api: Api, newsroom: Newsroom, role: Role) -> None:
    wrong = []
    async with somebody(api, role) as client:
        for path in acting():
            if path in OWN | OPEN or (role == "editor" and not path.startswith(ADMINISTERED)):
                continue
            for headers in ({"HX-Request": "true"}, *([] if path.endswith("/preview") else [{}])):
                answer = await client.post(filled(path, newsroom), headers=headers, data={"name": "x", "role": "admin"})
                if answer.status_code not in REFUSED + SHOWN and path not in IDLE:
                    wrong.append(f"{path}: {answer.status_code} {answer.headers.get('location', '')}")
    assert not wrong, "\n" + "\n".join(wrong)
    assert await done(api) == []


async def test_who_is_not_signed_in_does_nothing(api: Api, newsroom: Newsroom) -> None:
    async with somebody(api, None) as client:
        for path in acting():
            if path not in OPEN:
                answer = await client.post(filled(path, newsroom))
                assert answer.status_code == 401, path
    assert await done(api) == []


async def test_no_other_site_acts_for_who_is_signed_in(api: Api, newsroom: Newsroom) -> None:
    async with somebody(api, "admin", site="cross-site") as client:
        for path in acting():
            answer = await client.post(filled(path, newsroom), data={"name": "x"})
            assert answer.status_code == 403, path
    assert await done(api) == []


async def test_a_session_opens_no_api_and_a_token_no_page(api: Api) -> None:
    async with somebody(api, "admin") as client:
        assert (await client.get("/api/v1/posts")).status_code == 401
        client.cookies.clear()
        client.headers["Authorization"] = str(api.http.headers["Authorization"])
        assert (await client.get("/")).status_code == 303
