"""Links and figures that a rewrite keeps, and how it is made to fit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from common.telegram.links import links
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText
from rewriter.keeping import fitted, kept_links, missing_figures, missing_links


@pytest.mark.parametrize(
    ("wanted", "text", "missing"),
    [
        ("https://example.com/a", "see http://www.example.com/a/", False),
        ("https://example.com/a?utm_source=x&id=1", "see https://example.com/a?id=1", False),
        ("https://example.com/a", "[see](https://example.com/a)", False),
        ("https://example.com/a", "see https://example.com/A", True),
        ("https://example.com/a", "see example", True),
    ],
)
def test_missing_links(wanted: str, text: str, missing: bool) -> None:
    assert missing_links([wanted], from_markdown(text)) == [wanted] * missing


def test_links_behind_nothing_need_not_be_kept() -> None:
    post = from_markdown(
        "[ ](https://example.com/hidden)seen [here](https://example.com/seen), https://example.com/bare"
    )
    assert kept_links(post) == ["https://example.com/seen", "https://example.com/bare"]


@pytest.mark.parametrize(
    ("post", "body", "missing"),
    [
        ("в 2024 году", "за 2024-й", []),
        ("в 2024 году", "в прошлом году", ["2024"]),
        ("2 000 000 рублей", "2 млн рублей", []),
        ("1 250 000 рублей", "1250000 рублей", []),
        ("104.5 ₽", "104,5 ₽", []),
        ("3 кота", "три кота", []),
        ("в 10:30", "в 10.30", []),
        ("https://example.com/2024", "ничего", []),
    ],
)
def test_missing_figures(post: str, body: str, missing: list[str]) -> None:
    assert missing_figures(RichText(text=post), RichText(text=body)) == missing


def test_what_fits_stays_as_it_is() -> None:
    body = from_markdown("**short** https://example.com/a")
    assert fitted(body, 100, ["https://example.com/a"]) is body


URLS = st.lists(st.integers(0, 9999).map(lambda number: f"https://example.com/{number}"), max_size=8, unique=True)


@given(st.text("абв. 🦊", max_size=200), URLS, URLS, st.integers(16, 400))
def test_fits_and_keeps_what_there_is_room_for(text: str, inside: list[str], lost: list[str], limit: int) -> None:
    body = RichText(text=" ".join((text, *inside)))
    fit = fitted(body, limit, [*inside, *lost])
    assert fit.utf16_length <= limit
    missing = missing_links([*inside, *lost], fit)
    longest = max((len(url) for url in missing), default=0)
    assert not missing or sum(len(url) + 1 for url in links(fit)) + 1 + longest + 1 > limit // 2
