"""How people write the address of a chat, and how it is remembered. Needs no Telegram client."""

import re

LINK = re.compile(r"^(?:https?://)?(?:t|telegram)\.me/(?:s/)?", re.IGNORECASE)
NAME = re.compile(r"@[a-z][a-z0-9_]{2,31}")  # https://core.telegram.org/method/account.checkUsername; a few are shorter
BIGGEST_ID = 2**53  # "at most 52 significant bits": https://core.telegram.org/bots/api#chat


class NoAddress(ValueError):
    """What is given is no address of a chat; the message says so."""


def normal(address: str) -> str:
    """Return an address as it is remembered: `@name` in lower case, or a marked id."""
    address = LINK.sub("", address.strip()).rstrip("/").removeprefix("@").lower()
    return address if is_id(address) else f"@{address}"


def is_id(address: str) -> bool:
    """Whether an address is an id and not a name; no name on Telegram begins with a digit."""
    return address.removeprefix("-").isdigit()


def is_name_alone(address: str) -> bool:
    """Whether an address is a name without the @ or the link that would say so."""
    return NAME.fullmatch(f"@{address.strip().lower()}") is not None


def checked(address: str) -> str:
    """Return an address in its normal form. Raises NoAddress for what can be neither a name nor a marked id."""
    found = normal(address)
    if is_id(found) and found.isascii() and 0 < abs(int(found)) < BIGGEST_ID:
        return str(int(found))
    if NAME.fullmatch(found):
        return found
    raise NoAddress(f"{address.strip()!r} is no chat: give @name, a link to it, or an id such as -1001234567890")
