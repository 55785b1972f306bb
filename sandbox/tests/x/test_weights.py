"""How long X finds a text: the counts of https://docs.x.com/fundamentals/counting-characters."""

import pytest

from sandbox.x.addresses import addresses
from sandbox.x.weights import weight


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Twelve signs", 12),
        ("Мост открыт", 11),
        ("橋が開通", 8),
        ("다리", 4),
        ("e\u0301te\u0301", 3),  # an accent that is joined to its letter
        ("😀", 2),
        ("👨‍👩‍👧‍👦", 2),
        ("👍🏽 ok", 5),
        ("🇪🇸🇵🇹", 4),
        ("🏴󠁧󠁢󠁳󠁣󠁴󠁿", 2),
        ("5️⃣", 2),
        ("…", 2),
        ("— “so” ‘so’", 11),
        ("https://example.com/a/very/long/path/that/goes/on?and=on", 23),
        ("example.com", 23),
        ("пример.рф", 23),
        ("See https://example.com/x, then (https://example.org/y_(z)).", 4 + 23 + 8 + 23 + 2),
        ("mail me@example.com", 19),
        ("http://127.0.0.1/x", 18),
        ("http://localhost/x", 18),
        ("chapter2.conclusion", 19),
        ("@example.com", 12),
        ("", 0),
    ],
)
def test_weights(text: str, expected: int) -> None:
    assert weight(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(see http://example.com/a).", ["http://example.com/a"]),
        ("example.com/?q=1&b=2.", ["http://example.com/?q=1&b=2"]),
        (
            "https://en.wikipedia.org/wiki/TENEX_(operating_system)",
            ["https://en.wikipedia.org/wiki/TENEX_(operating_system)"],
        ),
        ("https://ru.wikipedia.org/wiki/Мост!", ["https://ru.wikipedia.org/wiki/Мост"]),
        ("HTTP://EXAMPLE.COM:8080", ["HTTP://EXAMPLE.COM:8080"]),
        ("a.example.com b.example.com/", ["http://a.example.com", "http://b.example.com/"]),
        ("https://sub_domain.example.museum", ["https://sub_domain.example.museum"]),
        ("ftp://example", []),
    ],
)
def test_addresses(text: str, expected: list[str]) -> None:
    assert [address.target for address in addresses(text)] == expected


def test_a_long_text_is_read_in_a_straight_line() -> None:
    for text in (
        "a." * 20_000,
        "https://" + "a-" * 20_000,
        "(" * 20_000 + "x.com/" + ")" * 2_000,
        "👍🏽\u200d" * 5_000,
    ):
        assert weight(text) > 280  # each takes milliseconds; with backtracking it would be minutes
