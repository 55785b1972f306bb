"""Idempotency keys: one effect, however often a request is sent."""

import asyncio

from common.postgres import Database

from .conftest import Api

KEY = {"Idempotency-Key": "a-key-of-mine"}


async def profiles(database: Database) -> int:
    return int(await database.strict.fetchval("SELECT count(*) FROM profiles"))


async def test_a_repeated_request_gets_the_same_answer(api: Api) -> None:
    first = await api.http.post("/profiles", json={"name": "p"}, headers=KEY)
    again = await api.http.post("/profiles", json={"name": "p"}, headers=KEY)
    assert first.status_code == again.status_code == 201
    assert first.content == again.content
    assert (first.headers["etag"], first.headers["location"]) == (again.headers["etag"], again.headers["location"])
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert await profiles(api.database) == 1
    quoted = await api.http.post("/profiles", json={"name": "p"}, headers={"Idempotency-Key": '"a-key-of-mine"'})
    assert quoted.headers["idempotency-replayed"] == "true"


async def test_another_body_is_refused(api: Api) -> None:
    await api.http.post("/profiles", json={"name": "p"}, headers=KEY)
    other = await api.http.post("/profiles", json={"name": "q"}, headers=KEY)
    assert (other.status_code, other.json()["type"]) == (422, "/problems/key-reused")
    assert await profiles(api.database) == 1


async def test_keys_belong_to_a_token_and_a_path(api: Api) -> None:
    await api.http.post("/profiles", json={"name": "p"}, headers=KEY)
    mine = {"Authorization": f"Bearer {await api.token('write')}", **KEY}
    assert (await api.http.post("/profiles", json={"name": "q"}, headers=mine)).status_code == 201
    there = await api.http.post("/destinations", json={"address": "telegram:@a"}, headers=KEY)
    assert there.status_code == 201


async def test_what_was_refused_may_be_asked_for_again(api: Api) -> None:
    post = await api.post()
    refused = await api.http.post(f"/posts/{post}/approve", json={}, headers=KEY)
    assert refused.status_code == 409
    await api.held(post)
    assert (await api.http.post(f"/posts/{post}/approve", json={}, headers=KEY)).status_code == 202


async def test_keys_that_are_none(api: Api) -> None:
    for key in ("", "a b", "x" * 256, "ключ".encode(), "a\tb"):
        answer = await api.http.post("/profiles", json={"name": "p"}, headers={"Idempotency-Key": key})
        assert answer.status_code == 400, key
    assert await profiles(api.database) == 0


async def test_many_at_once_have_one_effect(api: Api) -> None:
    post = await api.post()
    order = {"targets": ["telegram:@there"]}
    answers = await asyncio.gather(
        *(api.http.post(f"/posts/{post}/publish", json=order, headers=KEY) for _ in range(10))
    )
    done = [answer for answer in answers if answer.status_code == 202]
    assert done
    assert {answer.content for answer in done} == {done[0].content}
    assert {answer.status_code for answer in answers} <= {202, 409}
    assert all(answer.json()["type"] == "/problems/in-progress" for answer in answers if answer.status_code == 409)
    assert len(await api.emitted("publish.requested")) == 1
    assert await api.silent("publish.requested")
    again = await api.http.post(f"/posts/{post}/publish", json=order, headers=KEY)
    assert again.content == done[0].content
    assert await api.silent("publish.requested")


async def test_after_a_day_a_key_is_forgotten(api: Api) -> None:
    await api.http.post("/profiles", json={"name": "p"}, headers=KEY)
    await api.database.execute("UPDATE idempotency_keys SET created_at = now() - interval '25 hours'")
    assert (await api.http.post("/profiles", json={"name": "q"}, headers=KEY)).status_code == 201
    assert await profiles(api.database) == 2
