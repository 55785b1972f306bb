"""What happened around the posts: broadcasts, images, alerts, logs, services that live, past days of spending."""

import io
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from PIL import Image, ImageDraw

from common.contracts import topology
from common.logs import searched
from common.media.store import MediaStore
from common.postgres import Queries

if TYPE_CHECKING:
    from common.testing.newsroom.newsroom import Newsroom

SQL = Queries.load(__package__, "newsroom.sql")
SERVICES = ("collector", "rewriter", "imagegen", "scheduler", "publisher", "userbot")
LINES = (
    ("publisher", "info", "the job has ended", {"status": "succeeded", "seconds": 2.1, "queue": "publish_queue"}),
    ("rewriter", "warning", "the model takes long", {"model": "newsroom-large", "seconds": 41.7}),
    ("rewriter", "error", "the job is given up", {"error": "ModelTimeout: no answer within 60 s", "attempts": 5}),
    ("collector", "warning", "a feed can't be read", {"error": "FeedBroken: line 12, column 40: not well-formed"}),
    ("imagegen", "info", "the job has ended", {"status": "succeeded", "seconds": 11.4, "queue": "imagegen_queue"}),
    ("userbot", "warning", "Telegram asks to wait", {"seconds": 340, "chat": "@maple_cycling"}),
    ("scheduler", "info", "the rule ran", {"rule": "Доброе утро"}),
    (
        "publisher",
        "critical",
        "the session is gone",
        {"exception": "Traceback (most recent call last):\n  …\nSessionRevoked"},
    ),
)
PEOPLE = (
    ("anna", "Анна Лебедева", "editor", False),
    ("pavel", "Павел Марков", "admin", False),
    ("nina", "Нина Орлова", "viewer", True),
)
PASTELS = ("#87a8b8", "#c98d6b", "#7e9a70")


async def surround(room: "Newsroom", house: dict[str, Any]) -> None:
    """Write all of it."""
    await _live(room)
    await _broadcast(room)
    await _tell(room, house)
    await _log(room)
    await _draw(room)
    for login, name, role, disabled in PEOPLE:
        await room.database.execute(SQL["user"], login, name, role, disabled)
    await _try_out(room)
    await room.database.execute(SQL["calls"], room.routes["city"], "newsroom-large")
    await room.database.execute(SQL["calls"], room.routes["science"], "newsroom-small")
    await room.database.execute(SQL["execution"], next(iter(room.rules.values())))
    [webhook] = await room.database.strict_fetch(SQL["webhook"])
    room.webhooks.append(webhook["id"])
    await room.database.execute(SQL["deliveries"], webhook["id"])
    await room.database.execute(
        "INSERT INTO queue_pauses (queue, paused_by, reason, until)"
        " VALUES ('imagegen_queue', 'user:pavel', 'новый ключ модели', now() + interval '40 minutes')"
    )
    for number, (action, thing) in enumerate(
        [("approve_post", f"posts/{room.posts['published'][0]}"), ("pause_queue", "queues/imagegen_queue"),
         ("change_profile", f"profiles/{room.profiles['city']}"), ("reject_post", f"posts/{room.posts['rejected'][0]}")]
    ):  # fmt: skip
        when = datetime.now(UTC) - timedelta(minutes=17 * number + 5)
        change = {"max_length": 1200}, {"max_length": 900}
        before, after = change if action == "change_profile" else (None, None)
        await room.database.execute(SQL["audit"], when, "user:anna", action, f"/api/v1/{thing}", before, after)


async def _try_out(room: "Newsroom") -> None:
    """A trial of a profile, looks at addresses, and things done to many."""
    for values in (
        ("jobs.retry", {"error": "ModelTimeout"}, "done", 3, 3, []),
        (
            "dead_letters.discard",
            {"queue": "publish_queue"},
            "done",
            4,
            3,
            [{"key": "7", "reason": "it is not there any more"}],
        ),
    ):
        row = await room.database.strict_fetch(SQL["operation"], *values)
        room.operations.append(row[0]["id"])
    trial = uuid4()
    room.trials.append(trial)
    await room.database.execute(SQL["trial"], trial, room.profiles["city"])
    for number, post in enumerate(room.posts["published"][:2]):
        for place, version in enumerate((1, None)):
            await room.database.execute(SQL["trial_run"], trial, 2 * number + place, post, version)
    seen = [{"text": "Завтра ясно, до +4 °C", "at": None, "url": "https://weather.example.org/2"}]
    found = {"title": "Погода: станция «Маяк»", "what": "rss", "posts": 12, "newest": seen}
    for address, finding in (
        ("https://weather.example.org/feed.xml", found),
        ("https://broken.example.org/", {"trouble": "not_a_feed", "detail": "this is a page, and it names no feed"}),
    ):
        check = uuid4()
        room.checks.append(check)
        await room.database.execute(SQL["check"], check, address, finding)
    for source in room.sources.values():
        await room.database.execute(SQL["run"], source)


async def _live(room: "Newsroom") -> None:
    """Services give signs of life."""
    for number, service in enumerate(SERVICES):
        replica, ready = uuid4(), service != "userbot"
        detail = "" if ready else "Telegram: the session has ended; sign in again"
        await room.database.execute(SQL["beat"], service, replica, str(number + 11), ready, detail)
        for durable in topology().durables():
            if durable.service == service:
                await room.database.execute(
                    SQL["queue"], service, replica, durable.name, durable.queue, number % 3, 0.4 * number
                )
    for worker in ("ScheduledPostsWorker", "AutoPostingWorker"):
        await room.database.execute(SQL["worker"], worker, uuid4())


async def _broadcast(room: "Newsroom") -> None:
    """Broadcasts: one that is done, one that is paused half-way, one that failed."""
    chats = ["@zarechye_neighbours", "@maple_cycling", "@zarechensk_english", "@dom_polevaya_7"]
    forbidden = "CHAT_WRITE_FORBIDDEN: nobody may write there"
    text = "Паром «Светлая-2» снова на линии с завтрашнего утра."
    for values in (
        (room.posts["published"][3], None, chats, "done", 3, 1, 0, None, 55),
        (None, text, chats[:3], "processing", 1, 0, 0, None, 20),
        (None, "Субботник на Кленовой, 10:00", chats[3:], "failed", 0, 1, 0, forbidden, 300),
    ):
        row = await room.database.strict_fetch(SQL["task"], *values)
        task = row[0]["id"]
        room.broadcasts.append(task)
        for number, chat in enumerate(values[2][: values[4] + values[5]]):
            refused = chat == chats[3]
            outcome, error = ("refused", forbidden) if refused else ("sent", None)
            await room.database.execute(SQL["sent"], task, chat, outcome, error, [] if refused else [700 + number])


async def _tell(room: "Newsroom", house: dict[str, Any]) -> None:
    """Alerts with their notifications, and one that only informs."""
    now = datetime.now(UTC)
    for alert in house["alerts"]:
        since = now - timedelta(minutes=alert["ago"])
        ended = now - timedelta(minutes=alert["resolved"]) if "resolved" in alert else None
        named = alert["fingerprint"], alert["kind"], alert["severity"], alert["title"], alert["detail"], alert["count"]
        row = await room.database.strict_fetch(SQL["notification"], *named, since)
        status = "resolved" if ended else "firing"
        await room.database.execute(SQL["alert"], *named, status, since, ended, row[0]["id"])
    told = "sources/@skidki_zarechensk", "source.waiting", "info", "Telegram asks to wait", "340 s, then it goes on", 4
    await room.database.execute(SQL["notification"], *told, now - timedelta(minutes=12))


async def _log(room: "Newsroom") -> None:
    """Three hours of log records."""
    now = datetime.now(UTC)
    for number in range(64):
        service, level, event, fields = LINES[number % len(LINES)]
        post = room.in_order[number % len(room.in_order)] if service in ("publisher", "rewriter") else None
        job = f"{service}/{post}" if post else None
        when = now - timedelta(minutes=2.8 * number)
        trace = post.hex if post else None
        values = when, service, level, event, post, job, trace, fields, searched(event, fields)
        await room.database.execute(SQL["log"], *values)


async def _draw(room: "Newsroom") -> None:
    """Pictures in the object store: one from a source, two that were generated, one of them unused; one that failed."""
    store = MediaStore(room.database, room.stream)
    for number, colour in enumerate(PASTELS):
        picture = Image.new("RGB", (480, 320 + 80 * number), colour)
        ImageDraw.Draw(picture).ellipse((60, 60, 260 + 60 * number, 260), fill="#f2efe6")
        content = io.BytesIO()
        picture.save(content, "PNG")
        kept = await store.keep_picture(content, origin="source" if number == 0 else "generated")
        room.images.append(kept.hash)
    places = [
        (room.posts["awaiting"][0], "source/1", room.images[0]),
        (room.posts["awaiting"][2], "post", room.images[1]),
    ]
    await room.database.execute("SELECT attach_images($1, $2, $3)", *map(list, zip(*places, strict=True)))
    science = room.posts["awaiting"][2]
    prompt = "crickets listening to water pipes, quiet watercolour"
    await room.database.execute(
        SQL["illustration"], "illustration-1", science, prompt, "generated", room.images[1], None
    )
    other = room.posts["scheduled"][2]
    refused = "content_policy: the model would not draw this"
    await room.database.execute(
        SQL["illustration"], "illustration-2", other, "Saturn over a hill", "failed", None, refused
    )
