"""Media from the object store: of every kind, in order, as Telegram takes them."""

import asyncio
import hashlib
import io
import os
from itertools import count

import pytest
from PIL import Image

from common.media.items import Kind
from common.media.store import BUCKET
from common.testing.waiting import eventually
from embedded import NatsServer
from publisher.request import Requests
from sandbox.demo.pictures import picture as drawn
from sandbox.telegram.messages import Message

from .conftest import File, Stage, publishing

TARGETS = ["telegram:@media"]
VIDEO = {"width": 640, "height": 360, "duration_seconds": 12.5, "name": "clip.mp4"}


def attributes(message: Message) -> dict[str, dict[str, object]]:
    """What the attributes of a message's document say."""
    given = [attribute.to_dict() for attribute in message.tl_media().document.attributes]
    return {each.pop("_"): {name: value for name, value in each.items() if value} for each in given}


def written(image: Image.Image, form: str, **how: object) -> bytes:
    content = io.BytesIO()
    image.save(content, form, **how)
    return content.getvalue()


async def lose(stage: Stage, digest: str) -> None:
    """Let the store lose an image, as when its disk did."""
    (row,) = await stage.rows("SELECT object FROM images WHERE hash = $1", digest)
    await (await stage.nats.jetstream().object_store(BUCKET)).delete(row["object"])


async def attached(stage: Stage) -> dict[str, str]:
    rows = await stage.rows("SELECT place, hash FROM attachments WHERE place LIKE 'publication/%'")
    return {row["place"].rpartition("/")[2]: row["hash"] for row in rows}


async def test_a_photo_goes_with_its_text_and_stays_attached(stage: Stage) -> None:
    channel = stage.channel("media")
    post = await stage.post("look", File("photo", drawn(1)))
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    (message,) = stage.world.messages(channel.id)
    assert (message.text, stage.world.download(message)) == ("look", drawn(1))
    assert result["targets"][0]["error"] is None
    (row,) = await stage.publications()
    assert [(item["kind"], item["mime_type"]) for item in row["media"]] == [("photo", "image/png")]
    assert await attached(stage) == {"1": row["media"][0]["hash"]}


async def test_ten_media_are_an_album_in_their_order_with_one_caption(stage: Stage) -> None:
    channel = stage.channel("media")
    contents = [drawn(number) if number % 2 else os.urandom(2000) for number in range(11)]
    files = [
        File("photo", content) if number % 2 else File("video", content, "video/mp4", VIDEO)
        for number, content in enumerate(contents)
    ]
    post = await stage.post("eleven", *files)
    stage.fault("drop_after", "messages.SendMultiMedia")
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    messages = stage.world.messages(channel.id)
    assert [stage.world.download(message) for message in messages] == contents[:10]
    assert [message.text for message in messages] == ["eleven", *[""] * 9]
    assert len({message.grouped_id for message in messages}) == 1
    assert result["targets"][0]["message_ids"] == [message.id for message in messages]
    hashes = [hashlib.sha256(content).hexdigest() for content in contents[:10]]
    assert await attached(stage) == {str(number): digest for number, digest in enumerate(hashes, 1)}
    (package,) = await stage.rows("SELECT reason FROM publish_packages")
    assert package["reason"] == "1 of its media left out: an album has up to 10"


@pytest.mark.parametrize(
    ("kind", "mime_type", "shown"),
    [
        (
            "video",
            "video/mp4",
            {"DocumentAttributeVideo": {"duration": 12.5, "w": 640, "h": 360, "supports_streaming": True}},
        ),
        ("audio", "audio/mpeg", {"DocumentAttributeAudio": {"duration": 12}}),
        ("voice", "audio/ogg", {"DocumentAttributeAudio": {"duration": 12, "voice": True}}),
        ("document", "application/pdf", {}),
        ("animation", "image/gif", {"DocumentAttributeAnimated": {}}),
    ],
)
async def test_a_file_is_what_it_was(
    stage: Stage, kind: Kind, mime_type: str, shown: dict[str, dict[str, object]]
) -> None:
    channel = stage.channel("media")
    content = os.urandom(11 * 2**20 if kind == "document" else 600_000)  # in big parts, and in several
    post = await stage.post("a file", File(kind, content, mime_type, VIDEO | {"name": "its name.bin"}))
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    (message,) = stage.world.messages(channel.id)
    found = attributes(message)
    assert found.pop("DocumentAttributeFilename") == {"file_name": "its name.bin"}
    assert found == shown
    assert (message.text, message.tl_media().document.mime_type) == ("a file", mime_type)
    assert stage.world.download(message) == content
    big = "upload.SaveBigFilePart" in stage.server.calls()
    assert big is (kind == "document")


async def test_what_can_not_be_seen_together_are_files(stage: Stage) -> None:
    channel = stage.channel("media")
    post = await stage.post("both", File("photo", drawn(1)), File("document", b"%PDF", "application/pdf"))
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    messages = stage.world.messages(channel.id)
    assert [message.tl_media().document.mime_type for message in messages] == ["image/png", "application/pdf"]
    assert [stage.world.download(message) for message in messages] == [drawn(1), b"%PDF"]


@pytest.mark.parametrize(
    ("image", "form", "size"),
    [
        (Image.frombytes("RGB", (2700, 2600), os.urandom(2700 * 2600 * 3)), "PNG", (2700, 2600)),  # 20 MB
        (Image.new("RGB", (8000, 4000), "red"), "PNG", (6666, 3333)),
        (Image.new("RGB", (300, 200), "red"), "WEBP", (300, 200)),
        (Image.new("P", (300, 200)), "GIF", (300, 200)),
        (Image.new("RGB", (20, 1000)), "PNG", (51, 1000)),
    ],
)
async def test_a_picture_is_made_what_telegram_takes(
    stage: Stage, image: Image.Image, form: str, size: tuple[int, int]
) -> None:
    channel = stage.channel("media")
    post = await stage.post("a picture", File("photo", written(image, form)))
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    (message,) = stage.world.messages(channel.id)
    (shown,) = message.tl_media().photo.sizes
    assert (message.text, (shown.w, shown.h)) == ("a picture", size)


@pytest.mark.parametrize(("lost", "left"), [([1], [2, 3]), ([2, 3], [1]), ([1, 2, 3], [])])
async def test_what_the_store_has_lost_is_left_out_with_a_note(stage: Stage, lost: list[int], left: list[int]) -> None:
    channel = stage.channel("media")
    post = await stage.post("some are lost", *(File("photo", drawn(number)) for number in (1, 2, 3)))
    for row in await stage.rows("SELECT place, hash FROM attachments"):
        if int(row["place"].removeprefix("source/")) in lost:
            await lose(stage, row["hash"])
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    messages = stage.world.messages(channel.id)
    assert [message.text for message in messages] == ["some are lost", *[""] * (len(left) - 1)]
    assert [stage.world.download(message) for message in messages if message.media] == [drawn(n) for n in left]
    said = "without its media" if not left else f"without {len(lost)} of its 3 media"
    assert (result["status"], said in result["targets"][0]["error"]) == ("succeeded", True)
    assert result["targets"][0]["message_ids"] == [message.id for message in messages]


async def test_a_photo_that_telegram_refuses_is_left_out(stage: Stage) -> None:
    channel = stage.channel("media")
    stage.fault("rpc_error", "messages.SendMedia", message="PHOTO_INVALID_DIMENSIONS")
    post = await stage.post("refused", File("photo", drawn(1)))
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    assert stage.texts(channel) == ["refused"]
    assert "PHOTO_INVALID_DIMENSIONS" in result["targets"][0]["error"]


@pytest.mark.parametrize("error", ["FILE_PART_0_MISSING", "FILE_PART_7_MISSING", "FILE_REFERENCE_EXPIRED"])
async def test_what_telegram_forgot_is_uploaded_again(stage: Stage, error: str) -> None:
    channel = stage.channel("media")
    stage.fault("rpc_error", "messages.SendMedia", message=error)
    post = await stage.post("uploaded twice", File("photo", drawn(1)))
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    (message,) = stage.world.messages(channel.id)
    assert (message.text, stage.world.download(message)) == ("uploaded twice", drawn(1))
    assert (result["status"], result["targets"][0]["error"]) == ("succeeded", None)


async def test_part_of_an_album_that_may_have_arrived_is_found(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_TIMEOUT_SECONDS", "0.5")
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "0.5")
    channel = stage.channel("media")
    post = await stage.post("two of three", *(File("photo", drawn(number)) for number in (1, 2, 3)))
    await lose(stage, (await stage.rows("SELECT hash FROM attachments WHERE place = 'source/1'"))[0]["hash"])
    stage.fault("lost_answer", "messages.SendMultiMedia", times=50)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    messages = stage.world.messages(channel.id)
    assert [message.text for message in messages] == ["two of three", ""]
    assert result["targets"][0]["message_ids"] == [message.id for message in messages]


async def test_a_post_waits_for_the_object_store(
    stage: Stage, nats_server: NatsServer, caplog: pytest.LogCaptureFixture
) -> None:
    channel = stage.channel("media")
    post = await stage.post("later", File("photo", drawn(1)))
    stage.fault("flood_wait", "messages.SendMedia", seconds=1)
    async with publishing():
        await stage.request(post_id=post, targets=TARGETS)
        await eventually(lambda: stage.rows("SELECT FROM pacing WHERE blocked_until > now()"))
        nats_server.stop()

        async def it_waits() -> bool:
            return any("waits: the object store" in record.getMessage() for record in caplog.records)

        await eventually(it_waits)
        nats_server.start()
        (row,) = await stage.all_ended(1)
    (message,) = stage.world.messages(channel.id)
    assert stage.world.download(message) == drawn(1)
    assert (row["status"], row["attempts"], row["last_error"]) == ("succeeded", 0, None)


async def test_an_upload_without_an_answer_leaves_nothing_in_doubt(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UNKNOWN_AFTER_SECONDS", "0.2")
    monkeypatch.setenv("PUBLISH_QUEUE_BACKOFF_BASE_SECONDS", "0.4")
    channel = stage.channel("media")
    post = await stage.post("uploaded in the end", File("photo", drawn(1)))
    stage.fault("drop_after", "upload.SaveFilePart", times=3)
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    (row,) = await stage.publications()
    assert (row["status"], row["attempts"]) == ("succeeded", 3)
    assert stage.texts(channel) == ["uploaded in the end"]


async def test_what_could_not_be_fetched_is_said(stage: Stage) -> None:
    channel = stage.channel("media")
    post = await stage.post("one of two", File("video"), File("photo", drawn(1)))
    silent = await stage.post("", File("video"))
    async with publishing():
        package = await stage.request(post_id=post, targets=TARGETS)
        result = await stage.ended(package)
        await stage.request(post_id=silent, targets=TARGETS)

        async def skipped() -> list[str]:
            return [
                row["last_error"] for row in await stage.rows("SELECT last_error FROM jobs WHERE status = 'cancelled'")
            ]

        (why,) = await eventually(skipped)
    (message,) = stage.world.messages(channel.id)
    assert stage.world.download(message) == drawn(1)
    assert result["reason"] == "1 of its media left out: too large"
    assert "has no text; 1 of its media left out: too large" in why


@pytest.mark.parametrize(
    ("files", "places", "expected"),
    [
        ([], ["post"], ["post"]),
        ([], ["post", "rewrite"], ["rewrite"]),
        ([File("photo", drawn(1))], ["post", "rewrite"], [1]),
        ([File("photo")], ["rewrite"], ["rewrite"]),  # its own could not be fetched
        ([File("document", b"%PDF", "application/pdf")], ["post"], ["post", b"%PDF"]),
        ([], ["other"], []),  # of a rewrite that is not the one that is published
    ],
)
async def test_an_illustration_is_shown_where_the_post_has_no_picture(
    stage: Stage, files: list[File], places: list[str], expected: list[object]
) -> None:
    channel = stage.channel("media")
    post = await stage.post("the post", *files)
    other = await stage.rewrite(post, "an older rewrite")
    rewrite = await stage.rewrite(post, "the rewrite")
    pictures = {"post": drawn(2), "rewrite": drawn(3), "other": drawn(4)}
    where = {"post": "post", "rewrite": f"rewrite/{rewrite}", "other": f"rewrite/{other}"}
    for place in places:
        await stage.attach(post, where[place], pictures[place])
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    messages = stage.world.messages(channel.id)
    wanted = [pictures.get(str(each)) or (drawn(each) if isinstance(each, int) else each) for each in expected]
    assert [stage.world.download(message) for message in messages if message.media] == wanted
    assert messages[0].text == "the rewrite"
    assert result["rewrite_id"] == str(rewrite)


async def test_a_request_can_ask_for_an_image_first(stage: Stage) -> None:
    channel = stage.channel("media")
    post = await stage.post("to be illustrated")
    rewrite = await stage.rewrite(post, "rewritten")

    async def asked() -> list[dict[str, object]]:
        return stage.told["image.requested"]

    async with publishing():
        first = await stage.request(post_id=post, targets=TARGETS, illustrate=True)
        (wanted,) = await eventually(asked)
        assert not await stage.rows("SELECT FROM publish_packages")
        await stage.attach(post, f"rewrite/{rewrite}", drawn(1))
        second = await stage.request(post_id=post, targets=TARGETS, illustrate=True)
        await stage.ended(second)
        again = await stage.ended(await stage.request(post_id=post, targets=TARGETS, illustrate=True))
    assert wanted == {"post_id": str(post), "rewrite_id": str(rewrite), "prompt": None, "publish_to": TARGETS}
    assert [stage.world.download(message) for message in stage.world.messages(channel.id)] == [drawn(1)]
    assert (again["status"], len(stage.told["image.requested"])) == ("cancelled", 1)
    (job,) = await stage.rows("SELECT status, post_id FROM jobs WHERE event_id = $1", first)
    assert (job["status"], job["post_id"]) == ("succeeded", post)


async def test_where_it_is_published_already_no_image_is_asked_for(stage: Stage) -> None:
    stage.channel("media")
    post = await stage.post("without a picture")
    async with publishing():
        await stage.ended(await stage.request(post_id=post, targets=TARGETS))
        again = await stage.ended(await stage.request(post_id=post, targets=TARGETS, illustrate=True))
    assert again["status"] == "cancelled"
    assert not stage.told["image.requested"]


async def test_a_post_whose_image_was_deleted_meanwhile_is_read_again(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PUBLISH_QUEUE_MAX_ATTEMPTS", "1")
    channel = stage.channel("media")
    post = await stage.post("its image is gone", File("photo", drawn(1)))
    package, read = Requests.package, 0

    async def packages(self, *arguments):  # type: ignore[no-untyped-def]
        nonlocal read
        made, read = await package(self, *arguments), read + 1
        await stage.database.execute("DELETE FROM attachments")
        await stage.database.execute("DELETE FROM images")
        return made

    monkeypatch.setattr(Requests, "package", packages)
    async with publishing():
        result = await stage.ended(await stage.request(post_id=post, targets=TARGETS))
    assert (stage.texts(channel), result["status"], read) == (["its image is gone"], "succeeded", 2)
    assert not stage.dead


async def test_a_request_that_came_too_late_takes_no_image_from_what_is_to_be_sent(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel = stage.channel("media")
    post = await stage.post("asked for twice at once")
    await stage.attach(post, "post", drawn(1))
    package, began, first_read, second_read = Requests.package, count(), asyncio.Event(), asyncio.Event()

    async def packages(self, *arguments):  # type: ignore[no-untyped-def]
        """Both requests read that the post is nowhere yet; the second one finds another image, and is stored later."""
        if next(began) == 0:
            made = await package(self, *arguments)
            first_read.set()
            await second_read.wait()
        else:
            await first_read.wait()
            await stage.attach(post, "post", drawn(2))
            made = await package(self, *arguments)
            second_read.set()
            await eventually(stage.publications)
        return made

    monkeypatch.setattr(Requests, "package", packages)
    async with publishing():
        requests = [await stage.request(post_id=post, targets=TARGETS) for _ in range(2)]
        results = [await stage.ended(request) for request in requests]
    assert sorted(result["status"] for result in results) == ["cancelled", "succeeded"]
    (message,) = stage.world.messages(channel.id)
    (row,) = await stage.publications()
    assert stage.world.download(message) in (drawn(1), drawn(2))
    assert await attached(stage) == {"1": row["media"][0]["hash"]}
