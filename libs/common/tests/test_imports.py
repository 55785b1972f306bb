"""Importing files."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from common.imports import ImportFailed, read_posts
from common.telegram.entities import Entity, EntityKind

SOURCE = UUID(int=1)
LINE = {"message_id": 7, "sender_id": -1001, "date": "2024-12-04T09:00:28+00:00", "text": "**Мост** открыт"}
MESSAGE = {
    "id": 3,
    "type": "message",
    "date": "2024-12-04T12:00:28",
    "date_unixtime": "1733302828",
    "text": ["", {"type": "bold", "text": "Мост 🌉"}, " открыт"],
    "text_entities": [
        {"type": "bold", "text": "Мост 🌉"},
        {"type": "plain", "text": " открыт, "},
        {"type": "text_link", "text": "тут", "href": "https://example.com/"},
        {"type": "unheard_of", "text": "!"},
    ],
}


def export(*messages, **given):
    return {"name": "News", "type": "public_channel", "id": 1001, "messages": list(messages), **given}


def write(path: Path, content) -> Path:
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1), encoding="utf-8")
    return path


def test_lines_are_posts(tmp_path):
    (post,) = read_posts(write(tmp_path / "news.jsonl", f"{json.dumps(LINE)}\n\n"), SOURCE)
    assert (post.source_id, post.external_id) == (SOURCE, "-1001/7")
    assert post.body.text == "Мост открыт"
    assert post.body.entities == (Entity(kind=EntityKind.BOLD, offset=0, length=4),)
    assert post.posted_at == datetime(2024, 12, 4, 9, 0, 28, tzinfo=UTC)


def test_lines_are_found_whatever_the_file_is_called(tmp_path):
    assert len(list(read_posts(write(tmp_path / "news.json", f"{json.dumps(LINE)}\n" * 2), SOURCE))) == 2


def test_an_export_is_posts(tmp_path):
    service = {"id": 1, "type": "service", "date_unixtime": "1", "action": "create_channel"}
    picture = {**MESSAGE, "id": 2, "text": "", "text_entities": [], "photo": "photos/1.jpg"}
    (post,) = read_posts(write(tmp_path / "result.json", export(service, picture, MESSAGE)), SOURCE)
    assert (post.external_id, post.body.text) == ("1001/3", "Мост 🌉 открыт, тут!")
    assert post.body.entities == (
        Entity(kind=EntityKind.BOLD, offset=0, length=7),
        Entity(kind=EntityKind.TEXT_LINK, offset=16, length=3, url="https://example.com/"),
    )
    assert post.posted_at == datetime(2024, 12, 4, 9, 0, 28, tzinfo=UTC)


def test_an_export_of_an_account_has_several_chats(tmp_path):
    account = {"chats": {"list": [export(MESSAGE), export(MESSAGE, id=1002)]}}
    posts = list(read_posts(write(tmp_path / "result.json", account), SOURCE))
    assert [post.external_id for post in posts] == ["1001/3", "1002/3"]


def test_older_exports_have_only_the_text(tmp_path):
    old = {key: value for key, value in MESSAGE.items() if key != "text_entities"}
    (post,) = read_posts(write(tmp_path / "result.json", export(old)), SOURCE)
    assert post.body.text == "Мост 🌉 открыт"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.jsonl", f"{json.dumps(LINE)}\n{{", "a.jsonl, line 2: it is not JSON: "),
        ("a.jsonl", json.dumps({**LINE, "date": "2024-12-04T09:00"}), "line 1: the date 2024-12-04T09:00 has no time"),
        ("a.jsonl", json.dumps({"text": ""}), "line 1: date is missing"),
        ("a.jsonl", json.dumps({**LINE, "text": None}), "line 1: text is not a string"),
        ("a.json", "{\n1", "a.json, line 2: "),
        ("a.json", {"posts": []}, "a.json: neither an export of Telegram Desktop"),
        ("a.json", export({**MESSAGE, "date_unixtime": "soon"}), "a.json, message 3: "),
        ("a.json", export({"id": 4}), "a.json, message 4: type is missing"),
        ("a.json", export(5), "a.json, message 1: "),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path, name, content, message):
    with pytest.raises(ImportFailed) as failed:
        list(read_posts(write(tmp_path / name, content), SOURCE))
    assert message in str(failed.value)


def test_other_encodings_are_told(tmp_path):
    (tmp_path / "a.jsonl").write_bytes("Мост".encode("cp1251"))
    with pytest.raises(ImportFailed, match="it is not UTF-8"):
        list(read_posts(tmp_path / "a.jsonl", SOURCE))


def test_the_corpus_is_read_whole():
    corpus = Path(os.environ.get("POSTROOM_CORPUS", Path(__file__).parents[4] / "shared" / "data")) / "posts_ru"
    if not corpus.is_dir():
        pytest.skip(f"there is no corpus in {corpus}")
    for file in corpus.glob("*.jsonl"):
        with file.open(encoding="utf-8") as lines:
            assert 0 < len(list(read_posts(file, SOURCE))) <= sum(1 for _ in lines)
