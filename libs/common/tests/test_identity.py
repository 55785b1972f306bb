import json
import os
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from common.identity import SHORTEST_TEXT, content_key, normalised
from common.telegram.markdown import from_markdown
from common.tracking import without_tracking

CORPUS = Path(os.environ.get("POSTROOM_CORPUS", Path(__file__).parents[4] / "shared" / "data"))

POST = "Цена на нефть Brent выросла до 80 долларов, й и ё: https://e.org/News?id=7&b=1#top"
words = st.text(st.sampled_from("абвгдеёйжз АБВ xyz 0123456789 é😀❤.,!\n"), min_size=1, max_size=60)
long_texts = words.map(lambda text: text + " двенадцать знаков хватит")


@given(long_texts, st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]))
def test_composition_makes_no_difference(text: str, form: str) -> None:
    assert content_key(unicodedata.normalize(form, text)) == content_key(text)


@given(long_texts)
def test_case_and_white_space_make_no_difference(text: str) -> None:
    assert content_key(text.upper()) == content_key(text) == content_key(text.lower())
    assert content_key("\n " + text.replace(" ", " \t\u00a0 ") + "  ") == content_key(text)


insertions = st.tuples(st.integers(0, 80), st.sampled_from("\u200b\u200d\ufeff\u00ad\ufe0f\u2060\u034f\x00"))


@given(long_texts, st.lists(insertions, max_size=8))
def test_what_is_invisible_makes_no_difference(text: str, inserted: list[tuple[int, str]]) -> None:
    seen = text
    for at, invisible in inserted:
        seen = seen[:at] + invisible + seen[at:]
    assert content_key(seen) == content_key(text)


@given(
    st.lists(
        st.sampled_from(["utm_source=tg", "UTM_campaign=a%20b", "fbclid=1", "yclid=2", "igsh=x", "gclid"]), max_size=4
    )
)
def test_tracking_parameters_make_no_difference(parameters: list[str]) -> None:
    url = "https://e.org/News?" + "&".join(["id=7", *parameters[:2], "b=1", *parameters[2:]]) + "#top"
    assert without_tracking(url) == "https://e.org/News?id=7&b=1#top"
    assert content_key(POST.replace("https://e.org/News?id=7&b=1#top", url)) == content_key(POST)


def test_a_link_is_otherwise_compared_as_it_is() -> None:
    for other in (
        "https://e.org/news?id=7&b=1#top",
        "https://e.org/News?id=8&b=1#top",
        "https://e.org/News?b=1&id=7#top",
    ):
        assert content_key(POST.replace("https://e.org/News?id=7&b=1#top", other)) != content_key(POST)
    assert content_key(POST.replace("https://e.org", "HTTPS://E.ORG")) == content_key(POST)
    assert without_tracking("https://e.org/?utm_source=a") == "https://e.org/"
    assert without_tracking("https://e.org/?utmost=a") == "https://e.org/?utmost=a"


@given(long_texts, long_texts)
def test_different_texts_differ(one: str, other: str) -> None:
    assume(normalised(one) != normalised(other))
    assert content_key(one) != content_key(other)


@given(st.text())
def test_normalising_twice_changes_nothing(text: str) -> None:
    assert normalised(normalised(text)) == normalised(text)


def test_media_count_in_any_order_and_apart_from_the_text() -> None:
    first, second = b"a" * 32, b"b" * 32
    assert content_key("", [first, second]) == content_key("", [second, first]) is not None
    assert (
        len({content_key(POST), content_key(POST, [first]), content_key(POST, [second]), content_key("", [first])}) == 4
    )
    assert content_key(POST, [first, second]) != content_key(POST, [first + second])


@pytest.mark.parametrize(
    "text", ["", "   ", "🔥🔥🔥", "Доброе утро!", "+1", "\u200b" * 50, "a" * (SHORTEST_TEXT - 1), "." * 99]
)
def test_too_little_text_has_no_identity_without_media(text: str) -> None:
    assert content_key(text) is None
    assert content_key(text, [b"x"]) is not None


def test_the_key_is_stable() -> None:
    """A change here makes every stored key worthless: raise VERSION together with it."""
    key = content_key("Ёлка: 12 огней — https://e.org/A?utm_source=x", [b"\x01" * 32])
    assert key is not None
    assert key.hex() == "9d36aa49d0d9bf08a90973ac34bd1fc855f415f0a7d6b7e8b3a6acec48710e66"


@pytest.mark.skipif(not CORPUS.is_dir(), reason=f"no corpus at {CORPUS} (POSTROOM_CORPUS)")
def test_duplicates_among_real_posts() -> None:
    """8,382 posts of nine channels: 502 repeat an earlier one (in 296 groups), and 13 are too short to tell."""
    lines = [line for path in sorted(CORPUS.glob("posts_ru/*.jsonl")) for line in path.read_text().split("\n") if line]
    posts = [json.loads(line)["text"] for line in lines]
    keys = Counter(content_key(from_markdown(post).text) for post in posts)
    without = keys.pop(None)
    assert (len(posts), without) == (8382, 13)
    assert sum(count - 1 for count in keys.values()) == 502
    assert sum(count > 1 for count in keys.values()) == 296
