"""Live events: what happens is told to those who watch, over real connections."""

import asyncio
import json
import socket
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from uuid import uuid4

import httpx
import pytest
import websockets
from nats.aio.client import Client
from websockets.asyncio.client import ClientConnection, connect

from api.app import run
from api.http import server
from api.live import hub
from common.messaging.streams import TopologyError
from common.postgres import Database
from common.service import ServiceSettings
from common.testing.waiting import eventually
from common.tokens import Tokens
from embedded import NatsServer

from .conftest import Api, serving

FLOOD, FLOOD_BYTES = 1000, 20_000
LAST_CHUNK = b"0\r\n\r\n"
NO_POST = "00000000-0000-4000-8000-000000000000"
Said = dict[str, Any]


class Watcher:
    """A client of server-sent events."""

    def __init__(self, answer: httpx.Response) -> None:
        self.answer = answer
        self.last_id = ""  # as a browser keeps it
        self._blocks = self._read()

    async def _read(self) -> AsyncGenerator[Said, None]:
        block: dict[str, str] = {}
        async for line in self.answer.aiter_lines():
            if line:
                name, _, value = line.partition(": ")
                block[name] = value
                continue
            self.last_id = block.get("id", self.last_id)
            if "data" in block:
                yield {**block, "data": json.loads(block["data"])}
            elif "id" in block:
                yield {"event": "position", "id": block["id"]}
            block = {}

    async def next(self, *kinds: str) -> Said:
        """The next event of these kinds; of any, positions and the funnel left out, where none are given."""
        async with asyncio.timeout(15):
            async for said in self._blocks:
                if said["event"] in kinds or (not kinds and said["event"] not in ("position", "funnel")):
                    return said
        raise EOFError

    async def ended(self) -> None:
        """Wait for the end of the answer."""
        async with asyncio.timeout(15):
            async for _ in self._blocks:
                pass


@asynccontextmanager
async def watching(api: Api, query: str = "", **headers: str) -> AsyncIterator[Watcher]:
    """Watch for a block, from when it is connected."""
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    async with api.http.stream("GET", f"/events{query}", headers=given) as answer:
        assert answer.status_code == 200, await answer.aread()
        assert answer.headers["content-type"].startswith("text/event-stream")
        watcher = Watcher(answer)
        yield watcher


@asynccontextmanager
async def talking(api: Api, query: str = "", token: str | None = None) -> AsyncIterator[ClientConnection]:
    """Open a WebSocket for a block."""
    headers = {"Authorization": f"Bearer {token}" if token else api.http.headers["Authorization"]}
    address = f"{api.url}/api/v1/events{query}".replace("http:", "ws:")
    async with connect(address, additional_headers=headers if token != "" else {}) as connection:
        yield connection


async def heard(connection: ClientConnection, *kinds: str) -> Said:
    """The next frame of these kinds; of any, positions and the funnel left out, where none are given."""
    async with asyncio.timeout(15):
        while True:
            said: Said = json.loads(await connection.recv())
            if said["type"] in kinds or (not kinds and said["type"] not in ("position", "funnel")):
                return said


async def collected(api: Api) -> int:
    """Publish an event, as the collector does, and return its place in LIVE."""
    headers = {"ce-time": "2026-01-02T03:04:05.678+00:00", "ce-subject": NO_POST}
    return await happened(api, "post.collected", {"post_id": NO_POST, "source_id": NO_POST}, headers)


async def happened(api: Api, subject: str, payload: Said, headers: dict[str, str] | None = None) -> int:
    """Publish an event and return its place in LIVE, which has it a moment after its own stream."""
    before = await place(api)
    await api.nats.jetstream().publish(subject, json.dumps(payload).encode(), headers=headers)
    return await eventually(lambda: place(api, beyond=before))


async def place(api: Api, *, beyond: int = -1) -> int:
    """The place of the newest event, 0 where it is not beyond another one."""
    last: int = (await api.nats.jetstream().stream_info("LIVE")).state.last_seq
    return last if last > beyond else 0


async def test_what_happens_is_told(api: Api) -> None:
    async with watching(api) as watcher, talking(api) as connection:
        await watcher.next("position")
        await heard(connection, "position")
        number = await collected(api)
        event = {
            "id": number,
            "type": "post.collected",
            "at": "2026-01-02T03:04:05.678+00:00",
            "post_id": NO_POST,
            "data": {"post_id": NO_POST, "source_id": NO_POST},
        }
        assert await watcher.next() == {"id": str(number), "event": "post.collected", "data": event}
        assert await heard(connection) == event


async def test_what_a_person_typed_is_told_whatever_it_is(api: Api) -> None:
    async with talking(api) as connection:
        await heard(connection, "position")
        await api.nats.publish("publish.requested", b"\xffnot JSON")
        said = await heard(connection)
        assert (said["type"], said["data"], said["post_id"]) == ("publish.requested", None, None)
        await api.nats.publish("publish.requested", json.dumps({"post_id": NO_POST}).encode())
        assert (await heard(connection))["post_id"] == NO_POST


async def test_who_comes_back_is_told_what_was_missed_and_nothing_twice(api: Api) -> None:
    async with watching(api) as watcher:
        await watcher.next("position")
        await collected(api)
        await watcher.next()
    missed = [await collected(api) for _ in range(600)]  # more than one page
    async with (
        watching(api, "?after=0", Last_Event_ID=watcher.last_id) as again,  # the header counts
        talking(api, f"?after={missed[0]}") as connection,
    ):
        late = asyncio.create_task(collected(api))
        found = [int((await again.next())["id"]) for _ in range(601)]
        assert found == [*missed, await late]
        assert [(await heard(connection))["id"] for _ in range(600)] == [*missed[1:], await late]


async def test_who_saw_nothing_it_wanted_still_knows_how_far_it_is(api: Api) -> None:
    await collected(api)
    async with watching(api, "?types=broadcast") as watcher:
        await watcher.next("position")
        assert watcher.last_id == str(await place(api))


@pytest.mark.parametrize("environment", [{"LIVE_HEARTBEAT_SECONDS": "0.05"}])
async def test_a_silent_connection_gives_signs_of_life_and_of_its_place(api: Api) -> None:
    async with watching(api, "?types=broadcast") as watcher, talking(api, "?types=broadcast") as connection:
        number = await collected(api)
        await eventually(lambda: _last(watcher, str(number)))
        while (await heard(connection, "position"))["id"] != number:
            pass


async def _last(watcher: Watcher, wanted: str) -> bool:
    await watcher.next("position")
    return watcher.last_id == wanted


async def test_only_what_is_asked_for_is_told(api: Api) -> None:
    mine = str(uuid4())
    before = await place(api)
    for subject in ("post.collected", "post.rewritten", "publish.requested", "broadcast.requested"):
        for post_id in (NO_POST, mine):
            await happened(api, subject, {"post_id": post_id})

    async def told(query: str) -> list[tuple[str, str]]:
        async with talking(api, f"?after={before}&{query}") as connection:
            found = []
            while (said := json.loads(await connection.recv()))["type"] != "position":
                found.append((said["type"], said["post_id"]))
            return found

    def both(kind: str) -> list[tuple[str, str]]:
        return [(kind, NO_POST), (kind, mine)]

    posts = both("post.collected") + both("post.rewritten")
    assert await told("types=post.") == await told("types=post") == posts
    assert await told("types=broadcast.requested,post.collected") == both("post.collected") + both(
        "broadcast.requested"
    )
    assert await told("types=pos") == []
    assert await told(f"types=post&post_id={mine}") == [("post.collected", mine), ("post.rewritten", mine)]
    assert len(await told("")) == 8


async def test_a_frame_of_the_client_begins_anew(api: Api) -> None:
    first, second = await collected(api), await collected(api)
    async with talking(api) as connection:
        await heard(connection, "position")
        await connection.send(json.dumps({"after": first, "types": ["post."]}))
        assert (await heard(connection))["id"] == second
        await connection.send(json.dumps({"types": ["broadcast."]}))
        await heard(connection, "position")
        await collected(api)
        await api.nats.jetstream().publish("broadcast.result", b"{}")
        assert (await heard(connection))["type"] == "broadcast.result"


@pytest.mark.parametrize("frame", ["no JSON", '{"after": -1}', '{"types": ["*"]}', '{"more": 1}', b"\x00"])
async def test_a_frame_that_makes_no_sense_closes_the_connection(api: Api, frame: str | bytes) -> None:
    async with talking(api) as connection:
        await connection.send(frame)
        with pytest.raises(websockets.ConnectionClosed) as closed:
            await heard(connection)
        assert closed.value.rcvd
        assert closed.value.rcvd.code == 1007
        assert closed.value.rcvd.reason


@pytest.mark.parametrize("after", ["too old", "of a stream that is no more"])
async def test_who_comes_back_too_late_is_told_to_begin_anew(api: Api, after: str) -> None:
    for _ in range(5):
        number = await collected(api)
    if after == "too old":
        await api.nats.jetstream().purge_stream("LIVE", seq=number - 1)
    query = "?after=1" if after == "too old" else f"?after={number + 1000}"
    async with watching(api, query) as watcher, talking(api, query) as connection:
        reset = await watcher.next()
        assert (reset["event"], reset["id"]) == ("reset", str(number))
        assert (await heard(connection))["type"] == "reset"
        assert (await collected(api)) == (await heard(connection))["id"] == int((await watcher.next())["id"])


async def test_all_begin_anew_where_the_stream_does(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hub, "BOUNDS_SECONDS", 0.1)
    await collected(api)
    async with talking(api) as connection:
        await heard(connection, "position")
        await collected(api)
        await heard(connection)
        stream = api.nats.jetstream()
        config = (await stream.stream_info("LIVE")).config
        await stream.delete_stream("LIVE")
        await stream.add_stream(config)
        assert (await heard(connection))["type"] == "reset"
        await collected(api)
        assert (await heard(connection))["id"] == 1


async def test_nothing_is_missed_while_nats_is_away(api: Api, nats_server: NatsServer) -> None:
    async with watching(api) as watcher:
        await watcher.next("position")
        await asyncio.to_thread(nats_server.kill)
        await asyncio.to_thread(nats_server.start)
        await eventually(lambda: _connected(api.nats))
        numbers = [await collected(api) for _ in range(3)]
        assert [int((await watcher.next())["id"]) for _ in numbers] == numbers


async def _connected(client: Client) -> bool:
    return client.is_connected


async def test_a_change_by_a_person_is_told_to_those_who_may_read_it(api: Api) -> None:
    reader = await api.token("read")
    async with talking(api) as connection, talking(api, token=reader) as readers:
        await heard(connection, "position")
        await heard(readers, "position")
        hook = {"url": "https://a.example/", "events": ["publish.result"]}
        assert (await api.http.post("/webhooks", json=hook)).status_code == 201
        post_id = str(await api.post())
        await api.http.patch(f"/posts/{post_id}", json={"text": "another"})
        assert (await heard(connection))["type"] == "change.create_webhook"
        said = await heard(connection)
        assert (said["type"], said["post_id"]) == ("change.edit_post", post_id)
        assert said["data"]["path"] == f"/api/v1/posts/{post_id}"
        assert await heard(readers) == said  # and nothing of the webhook, which only an admin may read


async def test_a_refused_change_is_not_told(api: Api) -> None:
    async with talking(api) as connection:
        await heard(connection, "position")
        assert (await api.http.post(f"/posts/{await api.post()}/reject", json={})).status_code == 409
        assert (await api.http.post("/profiles", json={"name": "p"})).status_code == 201
        assert (await heard(connection))["type"] == "change.create_profile"


async def test_the_counts_of_the_funnel_come_at_first_and_as_they_change(api: Api) -> None:
    async with watching(api, "?types=funnel") as watcher, watching(api, "?types=post.") as another:
        first = await watcher.next("funnel")
        assert "id" not in first
        assert first["data"]["data"]["collected"] == 0
        await api.post()
        assert (await watcher.next("funnel"))["data"]["data"]["collected"] == 1
        async with talking(api) as late:
            assert (await heard(late, "funnel"))["data"]["collected"] == 1
        await collected(api)
        assert (await another.next("post.collected", "funnel"))["event"] == "post.collected"


async def test_a_ticket_opens_one_connection(api: Api) -> None:
    async def ticket() -> str:
        answer = await api.http.post("/events/tickets", headers={"Authorization": f"Bearer {await api.token('read')}"})
        assert answer.status_code == 201
        return str(answer.json()["ticket"])

    mine = await ticket()
    async with talking(api, f"?ticket={mine}", token="") as connection:
        await heard(connection, "position")
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with talking(api, f"?ticket={mine}", token=""):
            pass
    assert refused.value.response.status_code == 401
    assert json.loads(refused.value.response.body or b"")["type"] == "/problems/unauthorized"
    late = await ticket()
    await api.database.execute("UPDATE event_tickets SET expires_at = now()")
    assert (await api.http.get(f"/events?ticket={late}")).status_code == 401
    async with watching(api, f"?ticket={await ticket()}", Authorization="") as watcher:
        await watcher.next("position")
    assert mine not in (await api.http.get("/audit-log")).text


async def test_who_has_no_token_or_asks_for_nonsense_is_refused(api: Api) -> None:
    with pytest.raises(websockets.InvalidStatus) as refused:
        async with talking(api, token=""):
            pass
    assert refused.value.response.status_code == 401
    assert refused.value.response.headers["WWW-Authenticate"].startswith("Bearer")
    for query in ("nonsense=1", "after=-1", "types=*", "post_id=7"):
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with talking(api, f"?{query}"):
                pass
        assert refused.value.response.status_code == 422, query
        assert (await api.http.get(f"/events?{query}")).status_code == 422, query
    assert (await api.http.get("/events", headers={"Last-Event-ID": "x"})).status_code == 422


async def test_a_connection_ends_with_its_token(api: Api) -> None:
    token, secret = await Tokens(api.database).create("leaver", "read", expires_at=None, by="tests")
    async with watching(api, Authorization=f"Bearer {secret}") as watcher, talking(api, token=secret) as connection:
        await watcher.next("position")
        await heard(connection, "position")
        await Tokens(api.database).revoke(token.name)
        assert (await watcher.next("dropped"))["data"]["data"]["code"] == 1008
        await watcher.ended()
        assert (await heard(connection))["type"] == "dropped"
        await connection.wait_closed()
        assert connection.close_code == 1008


@pytest.mark.parametrize("environment", [{"LIVE_CONNECTIONS_PER_TOKEN": "2"}])
async def test_a_token_has_so_many_connections_and_no_more(api: Api) -> None:
    async with watching(api), talking(api):
        assert await answered(api, 429)
        with pytest.raises(websockets.InvalidStatus) as refused:
            async with talking(api):
                pass
        assert refused.value.response.status_code == 429
        async with talking(api, token=await api.token("read")) as another:
            await heard(another, "position")
    await eventually(lambda: answered(api, 200))  # as soon as the others are gone


async def flood(api: Api) -> None:
    """Let more happen than fits into the buffers between the service and a client that does not read."""
    message = json.dumps({"filler": "x" * FLOOD_BYTES}).encode()
    for _ in range(FLOOD):
        await api.nats.jetstream().publish("post.collected", message)


@asynccontextmanager
async def sleepy(api: Api) -> AsyncIterator[socket.socket]:
    """A client of server-sent events that reads nothing by itself."""
    ours = socket.socket()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2**13)
    ours.setblocking(False)
    host, port = api.url.removeprefix("http://").split(":")
    await asyncio.get_running_loop().sock_connect(ours, (host, int(port)))
    request = f"GET /api/v1/events HTTP/1.1\r\nHost: a\r\nAuthorization: {api.http.headers['Authorization']}\r\n\r\n"
    with ours:
        await asyncio.get_running_loop().sock_sendall(ours, request.encode())
        assert await asyncio.get_running_loop().sock_recv(ours, 12) == b"HTTP/1.1 200"
        yield ours


async def rest(ours: socket.socket) -> bytes:
    """Everything that a client can still read."""
    parts: list[bytes] = []
    async with asyncio.timeout(15):
        while part := await asyncio.get_running_loop().sock_recv(ours, 2**16):
            parts.append(part)
            if part.endswith(LAST_CHUNK):
                break
    return b"".join(parts)


@pytest.mark.parametrize("environment", [{"LIVE_WAITING_EVENTS": "256"}])
async def test_who_reads_too_slowly_is_dropped_and_told_so(api: Api) -> None:
    async with sleepy(api) as ours, talking(api) as connection, watching(api) as quick:
        await quick.next("position")
        reading = asyncio.create_task(quick.ended())
        await flood(api)
        said = await rest(ours)
        assert b"event: dropped" in said
        assert b"too slow" in said
        assert len(said) < FLOOD * FLOOD_BYTES  # the rest was thrown away
        with pytest.raises(websockets.ConnectionClosed):
            while True:
                last = await connection.recv()
        assert json.loads(last)["type"] == "dropped"
        assert connection.close_code == 1013
        assert not reading.done()  # who keeps up is not touched
        reading.cancel()


@pytest.mark.parametrize("environment", [{"LIVE_WAITING_EVENTS": "256", "LIVE_CONNECTIONS_PER_TOKEN": "1"}])
async def test_who_reads_nothing_any_more_is_cut_off(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "STUCK_SECONDS", 0.3)
    async with sleepy(api) as ours:
        assert await answered(api, 429)
        await flood(api)
        await eventually(lambda: answered(api, 200))
        assert not (await rest(ours)).endswith(LAST_CHUNK)


async def answered(api: Api, status: int) -> bool:
    """Whether one who asks for events is answered so."""
    async with api.http.stream("GET", "/events") as answer:
        return answer.status_code == status


async def test_a_head_has_an_end(api: Api) -> None:
    assert (await api.http.head("/events")).status_code == 200
    assert (await api.http.get("/profiles")).status_code == 200  # on the same connection


async def test_a_service_that_stops_says_goodbye(
    service_settings: ServiceSettings, database: Database, nats_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.timeout(10), httpx.AsyncClient(timeout=20) as client, AsyncExitStack() as connections:
        async with serving(monkeypatch) as url:
            api = Api(url, database, nats_client, client)
            client.base_url = httpx.URL(f"{url}/api/v1")
            client.headers["Authorization"] = f"Bearer {await api.token('admin')}"
            watcher = await connections.enter_async_context(watching(api))
            connection = await connections.enter_async_context(talking(api))
            await watcher.next("position")
            await heard(connection, "position")
        assert (await watcher.next("dropped"))["data"]["data"]["code"] == 1012
        await watcher.ended()
        await connection.wait_closed()
        assert connection.close_code == 1012


async def test_without_its_stream_the_service_does_not_start(
    service_settings: ServiceSettings, nats_client: Client
) -> None:
    await nats_client.jetstream().delete_stream("LIVE")
    with pytest.raises(TopologyError, match="postroom migrate"):
        await run(asyncio.Event())
