"""Jobs, images, notifications, broadcasts and chats."""

import asyncio
import hashlib
import io
from typing import Any
from uuid import uuid4

from PIL import Image

from common.media.store import MediaStore
from common.testing.waiting import eventually

from .conftest import Api


def picture(form: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (30, 20), (200, 10, 10)).save(file, form)
    return file.getvalue()


async def test_many_images_are_deleted_at_once(api: Api) -> None:
    """More than there are connections: none holds one while it waits for another."""
    await api.database.execute(
        "INSERT INTO images (hash, object, origin, mime_type, size_bytes)"
        " SELECT lpad(to_hex(n), 64, '0'), n, 'generated', 'image/png', 1 FROM generate_series(1, 20) n"
    )
    hashes = [item["hash"] for item in (await api.http.get("/images")).json()["items"]]
    answers = await asyncio.gather(*(api.http.delete(f"/images/{digest}") for digest in hashes))
    assert [answer.status_code for answer in answers] == [204] * 20
    assert (await api.http.get("/images")).json()["items"] == []
    assert await api.database.strict.fetchval("SELECT count(object_deleted_at) FROM image_deletions") == 20


async def test_an_image_has_any_number_of_posts(api: Api) -> None:
    await MediaStore(api.database, api.nats.jetstream()).keep_picture(io.BytesIO(picture()), origin="source")
    await api.database.execute(
        "WITH p AS (INSERT INTO posts (id, external_id, text) SELECT gen_random_uuid(), n::text, ''"
        " FROM generate_series(1, 300) n RETURNING id)"
        " INSERT INTO attachments (post_id, place, hash) SELECT p.id, 'post', hash FROM p, images"
    )
    [listed] = (await api.http.get("/images")).json()["items"]
    assert len(listed["posts"]) == 100
    assert (await api.http.get(f"/images/{listed['hash']}")).json() == listed


async def test_images(api: Api) -> None:
    store = MediaStore(api.database, api.nats.jetstream())
    content = picture()
    await store.keep_picture(io.BytesIO(content), origin="generated")
    page = b"<html><script>alert(1)</script></html>"
    await store.keep(io.BytesIO(page), "text/html", origin="source")
    digest, page_digest = hashlib.sha256(content).hexdigest(), hashlib.sha256(page).hexdigest()
    [image] = (await api.http.get("/images?origin=generated&attached=false")).json()["items"]
    assert (image["hash"], image["width"], image["height"], image["posts"]) == (digest, 30, 20, [])

    answer = await api.http.get(f"/images/{digest}/content")
    assert answer.content == content
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-disposition"].startswith("inline")
    same = await api.http.get(f"/images/{digest}/content", headers={"If-None-Match": answer.headers["etag"]})
    assert (same.status_code, same.content) == (304, b"")
    unsafe = await api.http.get(f"/images/{page_digest}/content")
    assert unsafe.content == page
    assert unsafe.headers["content-type"] == "application/octet-stream"
    assert unsafe.headers["content-disposition"].startswith("attachment")

    post = await api.post()
    await api.database.execute("SELECT attach_images($1, $2, $3)", [post], ["post"], [digest])
    assert (await api.http.get(f"/images/{digest}")).json()["posts"] == [str(post)]
    assert (await api.http.delete(f"/images/{digest}")).status_code == 409
    await api.database.execute("DELETE FROM attachments")
    assert (await api.http.delete(f"/images/{page_digest}")).status_code == 409  # of a source
    assert (await api.http.delete(f"/images/{digest}")).status_code == 204
    assert (await api.http.get(f"/images/{digest}/content")).status_code == 404
    assert (await api.http.get("/images/xyz")).status_code == 422


async def test_what_is_known_of_an_image(api: Api) -> None:
    await api.database.execute(
        "INSERT INTO images (hash, object, origin, mime_type, size_bytes, created_at)"
        " SELECT lpad(to_hex(n), 64, '0'), n, CASE n WHEN 3 THEN 'source' ELSE 'generated' END, 'image/png', 1,"
        " make_timestamptz(2026, 1, n, 0, 0, 0, 'UTC') FROM generate_series(1, 3) n"
    )
    digest, post = f"{1:064x}", await api.post("A post about a bridge")
    await api.database.execute("SELECT attach_images($1, $2, $3)", [post], ["post"], [digest])
    await api.database.execute(
        "INSERT INTO illustrations (id, post_id, prompt, model, size, status, hash, attempts, cost_usd, duration_ms)"
        " VALUES ('i', $1, 'A bridge at dawn', 'painter', '1024x1024', 'generated', $2, 2, 0.04, 2500)",
        post,
        digest,
    )
    image = (await api.http.get(f"/images/{digest}")).json()
    [attached] = image["attached_to"]
    assert (attached["post_id"], attached["place"], attached["title"]) == (str(post), "post", "A post about a bridge")
    drawing = image["illustration"]
    assert (drawing["prompt"], drawing["model"], drawing["cost_usd"], drawing["seconds"], drawing["attempts"]) == (
        "A bridge at dawn",
        "painter",
        0.04,
        2.5,
        2,
    )
    days = "since=2026-01-01T00:00:00Z&until=2026-01-03T00:00:00Z"
    listed = (await api.http.get(f"/images?{days}")).json()["items"]
    assert [(each["hash"], each["illustration"]) for each in listed] == [(f"{2:064x}", None), (digest, drawing)]
    assert listed[1] == image


async def test_unattached_images_are_deleted_by_an_operation(api: Api) -> None:
    await api.database.execute(
        "INSERT INTO images (hash, object, origin, mime_type, size_bytes, created_at)"
        " SELECT lpad(to_hex(n), 64, '0'), n, CASE n WHEN 9 THEN 'source' ELSE 'generated' END, 'image/png', 1,"
        " make_timestamptz(2026, 1, n, 0, 0, 0, 'UTC') FROM generate_series(1, 9) n"
    )
    post = await api.post()
    await api.database.execute("SELECT attach_images($1, $2, $3)", [post], ["post"], [f"{1:064x}"])

    async def operate(given: dict[str, Any], **more: Any) -> Any:
        answer = await api.http.post("/operations", json={"kind": "images.delete", "filter": given} | more)
        return answer.json()

    async def left() -> list[int]:
        return [int(each["hash"], 16) for each in (await api.http.get("/images")).json()["items"]]

    async def done(started: Any) -> Any:
        async def ended() -> Any:
            found = (await api.http.get(f"/operations/{started['id']}")).json()
            return found if found["status"] == "done" else None

        return await eventually(ended)

    assert (await operate({}, dry_run=True))["matching"] == 7  # not the one of a source, nor the one that a post has
    assert (await operate({"since": "2026-01-08T00:00:00Z"}, dry_run=True))["matching"] == 1
    some = await operate({"hashes": [f"{number:064x}" for number in (1, 2, 3, 9)]})
    assert some["total"] == 2
    assert (await done(some))["done"] == 2
    assert await left() == [9, 8, 7, 6, 5, 4, 1]
    assert (await done(await operate({"until": "2026-01-06T00:00:00Z"})))["done"] == 2
    assert (await done(await operate({})))["done"] == 3
    assert await left() == [9, 1]
    row = await api.database.fetchrow("SELECT count(*) AS n, count(object_deleted_at) AS gone FROM image_deletions")
    assert row
    assert (row["n"], row["gone"]) == (7, 7)
    by = await api.database.fetch("SELECT DISTINCT reason, deleted_by FROM image_deletions")
    assert [(each["reason"], each["deleted_by"].startswith("token:")) for each in by] == [("requested", True)]


async def test_notifications(api: Api) -> None:
    await api.database.execute(
        "INSERT INTO notifications (fingerprint, kind, severity, title) VALUES ('a', 'k.a', 'error', 'A'),"
        " ('b', 'k.b', 'info', 'B')"
    )
    [found] = (await api.http.get("/notifications?severity=error")).json()["items"]
    assert found["title"] == "A"
    assert (await api.http.get(f"/notifications/{found['id']}")).json() == found
    assert [each["title"] for each in (await api.http.get("/notifications?kind=k.b")).json()["items"]] == ["B"]


async def test_chats(api: Api) -> None:
    added = await api.http.post("/chats", json={"address": "https://t.me/Some_Chat", "min_messages_between": 5})
    assert added.status_code == 201
    assert added.json()["address"] == "@some_chat"
    changed = await api.http.patch("/chats/@some_chat", json={"enabled": False})
    assert (changed.json()["enabled"], changed.json()["min_messages_between"]) == (False, 5)
    assert (await api.http.patch("/chats/@some_chat", json={})).json() == changed.json()
    for name in ("title", "enabled", "min_messages_between"):  # null is no value of theirs
        assert (await api.http.patch("/chats/@some_chat", json={name: None})).status_code == 422
    assert (await api.http.post("/chats", json={"address": "not a chat"})).status_code == 422
    assert (await api.http.patch("/chats/@nobody", json={})).status_code == 404
    assert [chat["address"] for chat in (await api.http.get("/chats?enabled=false")).json()["items"]] == ["@some_chat"]
    assert (await api.http.get("/chats?flagged=true")).json()["items"] == []


async def test_broadcasts(api: Api) -> None:
    for wrong in (
        {},
        {"text": "a", "post_id": str(uuid4())},
        {"text": "a", "forward": True},
        {"post_id": str(uuid4())},
    ):
        assert (await api.http.post("/broadcasts", json=wrong)).status_code == 422, wrong
    given = {"text": "**hello**", "target_chat_ids": ["@Chat_one", "-100123"]}
    answer = await api.http.post("/broadcasts", json=given)
    assert answer.status_code == 202
    [event] = await api.emitted("broadcast.requested")
    assert event["target_chat_ids"] == ["@chat_one", "-100123"]
    broadcast_id = answer.json()["id"]
    await api.database.execute(  # as the userbot does
        "INSERT INTO userbot_tasks (id, text, target_chat_ids) VALUES ($1, 'hello', $2)",
        broadcast_id,
        event["target_chat_ids"],
    )
    path = f"/broadcasts/{broadcast_id}"
    found = (await api.http.get(path)).json()
    assert (found["status"], found["total"], found["left"]) == ("pending", 2, 2)
    assert [chat["chat"] for chat in found["chats"]] == ["@chat_one", "-100123"]
    assert (found["subject"], found["states"]) == ("hello", {"waiting": 2})
    assert (await api.http.post(f"{path}/pause")).json()["paused_by"].startswith("token:")
    assert (await api.http.post(f"{path}/resume")).json()["paused_at"] is None
    assert (await api.http.post(f"{path}/cancel")).json()["status"] == "cancelled"
    assert (await api.http.post(f"{path}/cancel")).status_code == 409
    assert (await api.http.post(f"/broadcasts/{uuid4()}/pause")).status_code == 404
    assert [each["id"] for each in (await api.http.get("/broadcasts?status=cancelled")).json()["items"]] == [
        broadcast_id
    ]


async def test_the_chats_of_a_broadcast(api: Api) -> None:
    post = await api.post("What is to be sent to many", title="News")
    chats = [f"@chat_{number}" for number in range(5)] + ["-1001234567890", "-42"]
    task = await api.database.strict.fetchval(
        "INSERT INTO userbot_tasks (post_id, target_chat_ids, chats, status, started_at, sent_count, error_count)"
        " VALUES ($1, $2, $2, 'processing', now(), 3, 1) RETURNING id",
        post,
        chats,
    )
    await api.http.post("/chats", json={"address": "@chat_0", "title": "The first"})
    for chat, attempt, outcome, error, messages in (
        ("@chat_0", 1, "retry", "FLOOD_WAIT", []),
        ("@chat_0", 2, "sent", None, [17, 18]),
        ("-1001234567890", 1, "sent", None, [5]),
        ("-42", 1, "sent", None, [6]),
        ("@chat_1", 1, "refused", "CHAT_WRITE_FORBIDDEN", []),
        ("@chat_2", 1, "sending", None, []),
    ):
        await api.database.execute(
            "INSERT INTO broadcast_attempts (task_id, chat, attempt, account, outcome, error, message_ids, finished_at)"
            " VALUES ($1, $2, $3, 'a', $4, $5, $6, CASE WHEN $4 <> 'sending' THEN clock_timestamp() END)",
            task,
            chat,
            attempt,
            outcome,
            error,
            messages,
        )
    path = f"/broadcasts/{task}"
    found = (await api.http.get(path)).json()
    assert (found["done"], found["total"], found["subject"]) == (4, 7, "News")
    assert found["states"] == {"refused": 1, "sending": 1, "sent": 3, "waiting": 2}
    [listed] = (await api.http.get("/broadcasts")).json()["items"]
    assert (listed["done"], listed["total"], listed["subject"]) == (4, 7, "News")
    assert listed["ends_at"] is not None
    first = (await api.http.get(f"{path}/chats?limit=3")).json()
    rest = (await api.http.get(f"{path}/chats", params={"cursor": first["next"]})).json()
    assert [each["chat"] for each in first["items"] + rest["items"]] == chats
    sent = (await api.http.get(f"{path}/chats?state=sent")).json()["items"]
    assert [(each["title"], each["attempts"], each["urls"]) for each in sent] == [
        ("The first", 2, ["https://t.me/chat_0/17", "https://t.me/chat_0/18"]),
        ("", 1, ["https://t.me/c/1234567890/5"]),
        ("", 1, []),
    ]
    waiting = (await api.http.get(f"{path}/chats?state=waiting")).json()["items"]
    assert [each["chat"] for each in waiting] == ["@chat_3", "@chat_4"]
    assert (await api.http.get(f"/broadcasts/{uuid4()}/chats")).status_code == 404
