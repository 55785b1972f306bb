"""Addresses of chats as people write them."""

import pytest

from common.telegram.addresses import NoAddress, checked, normal


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("@City_Chat", "@city_chat"), (" city_chat ", "@city_chat"), ("https://t.me/City_Chat/", "@city_chat"),
        ("t.me/s/city", "@city"), ("telegram.me/city", "@city"), ("-1001234567890", "-1001234567890"),
        ("-0012", "-12"), ("4567", "4567"),
    ],
)  # fmt: skip
def test_an_address_has_one_form(written: str, address: str) -> None:
    assert checked(written) == address
    assert checked(address) == address


@pytest.mark.parametrize(
    "written",
    ["", " ", "@", "@ab", "@1city", "two words", "https://t.me/+AbCdEf", "https://t.me/c/123/4", "@city!", "--5", "0",
     "-", "9" * 20, "-²", "@" + "x" * 33, "https://example.org/city", "@città"],
)  # fmt: skip
def test_what_is_no_address_is_refused(written: str) -> None:
    with pytest.raises(NoAddress, match="is no chat"):
        checked(written)


def test_what_was_stored_before_is_still_found() -> None:
    assert normal("https://t.me/Old_Name") == "@old_name"
