"""What the API does while a server of ours is away, and when it dies itself."""

import asyncio

from common.testing.waiting import eventually
from embedded import NatsServer

from .conftest import Api


async def test_without_nats_changes_are_committed_and_their_events_wait(api: Api, nats_server: NatsServer) -> None:
    post = await api.post()
    await asyncio.to_thread(nats_server.kill)
    try:
        answer = await api.http.post(f"/posts/{post}/publish", json={"targets": ["telegram:@there"]})
        assert answer.status_code == 202
        assert await api.database.strict.fetchval("SELECT count(*) FROM outbox") == 1
        assert (await api.http.get(f"/posts/{post}")).status_code == 200
    finally:
        await asyncio.to_thread(nats_server.start)
    await api.database.execute("UPDATE outbox SET created_at = created_at - interval '1 minute'")  # long enough ago

    async def published() -> bool:
        return await api.database.strict.fetchval("SELECT count(*) FROM outbox") == 0

    await eventually(published)


async def test_an_effect_and_its_answer_are_stored_together(api: Api) -> None:
    key = {"Idempotency-Key": "k"}
    await api.database.execute("ALTER TABLE idempotency_keys ADD CONSTRAINT broken CHECK (status = 0) NOT VALID")
    assert (await api.http.post("/profiles", json={"name": "p"}, headers=key)).status_code == 500
    assert await api.database.strict.fetchval("SELECT count(*) FROM profiles") == 0
    await api.database.execute("ALTER TABLE idempotency_keys DROP CONSTRAINT broken")
    assert (await api.http.post("/profiles", json={"name": "p"}, headers=key)).status_code == 201
    assert await api.database.strict.fetchval("SELECT count(*) FROM audit_log WHERE action = 'create_profile'") == 1
