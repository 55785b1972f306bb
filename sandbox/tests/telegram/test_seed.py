"""Loading a corpus."""

import json
import os
from pathlib import Path

import pytest

from sandbox.telegram import CorpusError, seed_channel

CORPUS = Path(os.environ.get("POSTROOM_CORPUS", Path(__file__).parents[3] / ".." / "shared" / "data")) / "posts_ru"
LINE = {
    "message_id": 7,
    "sender_id": -1001000000042,
    "channel": "Наука",
    "category": "science",
    "date": "2024-12-04T09:00:28+00:00",
    "text": "  **Важно** 😀 [ссылка](https://example.com)\n\n",
}


def write(path, *lines):
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


async def test_a_corpus_file(tmp_path, connect, world, alice):
    long = LINE | {"message_id": 9, "text": "x" * 5000}
    file = write(tmp_path / "c.jsonl", long, LINE | {"message_id": 8, "text": " \n"}, LINE)
    seeded = seed_channel(world, file, alice, "nauka")
    assert (seeded.loaded, seeded.empty, seeded.chat.id, seeded.chat.title) == (2, 1, -1001000000042, "Наука")
    client = await connect(alice)
    first, second = [message async for message in client.iter_messages("nauka", reverse=True)]
    assert (first.id, first.raw_text, first.date.isoformat()) == (7, "Важно 😀 ссылка", "2024-12-04T09:00:28+00:00")
    assert [(type(e).__name__, e.offset, e.length) for e in first.entities] == [
        ("MessageEntityBold", 0, 5),
        ("MessageEntityTextUrl", 9, 6),
    ]
    assert (second.id, len(second.raw_text)) == (9, 5000)
    assert (await client.send_message("nauka", "next")).id == 10


def test_a_second_time_adds_only_what_is_new(tmp_path, world, alice):
    seed_channel(world, write(tmp_path / "c.jsonl", LINE), alice)
    again = seed_channel(world, write(tmp_path / "c.jsonl", LINE, LINE | {"message_id": 8, "text": "new"}), alice)
    assert again.loaded == 1
    assert [message.id for message in world.messages(again.chat.id)] == [7, 8]


@pytest.mark.parametrize(
    ("broken", "complaint"),
    [
        ("{not json", "JSONDecodeError"),
        (json.dumps({"message_id": 1}), "KeyError"),
        (json.dumps(LINE | {"date": "yesterday"}), "ValueError"),
        (json.dumps(LINE | {"date": "2024-12-04T09:00:28"}), "no time zone"),
        (json.dumps(LINE | {"text": None}), "must be strings"),
        (json.dumps(LINE | {"sender_id": -1001000000043}), "among posts of"),
        ("[]", "TypeError"),
    ],
)
def test_a_malformed_line_is_named(tmp_path, world, alice, broken, complaint):
    file = tmp_path / "c.jsonl"
    file.write_text(json.dumps(LINE) + "\n" + broken + "\n", "utf-8")
    with pytest.raises(CorpusError, match=r"c\.jsonl, line 2: ") as refused:
        seed_channel(world, file, alice)
    assert complaint in str(refused.value)
    assert world.chats() == []


@pytest.mark.skipif(not CORPUS.is_dir(), reason="the corpus is not here (POSTROOM_CORPUS)")
async def test_the_real_corpus(connect, world, alice):
    seeded = [seed_channel(world, path, alice) for path in sorted(CORPUS.glob("*.jsonl"))]
    assert sum(one.loaded + one.empty for one in seeded) == 8382
    client = await connect(alice)
    await client.get_dialogs()
    for one in seeded:
        read = [message async for message in client.iter_messages(one.chat.id, limit=250)]
        assert [(m.id, m.raw_text) for m in read] == [(m.id, m.text) for m in world.recent_messages(one.chat.id, 250)]
