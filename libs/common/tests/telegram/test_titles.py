import pytest

from common.telegram.entities import Entity, EntityKind
from common.telegram.text import RichText
from common.telegram.titles import titled

BODY = RichText(text="The bridge is open", entities=(Entity(kind=EntityKind.ITALIC, offset=4, length=6),))


def test_a_title_stands_in_bold_above_the_text() -> None:
    assert titled("News 🌉", BODY).to_json() == {
        "text": "News 🌉\n\nThe bridge is open",
        "entities": [{"kind": "bold", "offset": 0, "length": 7}, {"kind": "italic", "offset": 13, "length": 6}],
    }


@pytest.mark.parametrize("title", ["", "The bridge"])
def test_a_text_that_begins_with_its_title_is_left_as_it_is(title: str) -> None:
    assert titled(title, BODY) == BODY


def test_a_title_without_a_text_is_the_text() -> None:
    assert titled("News", RichText()).text == "News"


def test_a_title_is_no_markdown_and_may_hold_anything() -> None:
    assert titled("2 ** 3 [a](b) \x00", BODY).text == "2 ** 3 [a](b) �\n\nThe bridge is open"
