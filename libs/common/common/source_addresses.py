"""The address of a source as people paste it: a name or link of Telegram, or the URL of a feed."""

import re
from typing import Literal, TypeAlias

from common.telegram.addresses import LINK, NoAddress, checked, is_name_alone

Kind: TypeAlias = Literal["telegram", "feed"]

INVITATION = re.compile(r"^(?:\+|joinchat/)", re.IGNORECASE)
CLOSED = re.compile(r"^c/(\d{1,16})(?:/\d+)*$")  # https://core.telegram.org/api/links#private-message-links
MESSAGE = re.compile(r"^(@?\w+)(?:/\d+)+$")
HOST = re.compile(r"^[\w-]+(?:\.[\w-]+)*\.[^\W\d_]{2,}(?::\d+)?(?:[/?#].*)?$")
LONGEST = 2000


def recognised(given: str) -> tuple[Kind, str]:
    """Return the kind of an address, and the address in the one way in which a source has it. Raises NoAddress."""
    address = given.strip()
    if not address or len(address) > LONGEST or any(each.isspace() for each in address):
        raise NoAddress("give @name of a channel, a link to it, or the address of a feed")
    if LINK.match(address):
        return "telegram", _linked(LINK.sub("", address).split("?", 1)[0].strip("/"))
    if "://" in address:
        if not address.lower().startswith(("http://", "https://")):
            raise NoAddress("a feed's address begins with http:// or https://")
        return "feed", address
    if address.startswith("@") or is_name_alone(address) or address.lstrip("-").isdigit():
        return "telegram", _named(address)
    if HOST.match(address):
        return "feed", f"https://{address}"
    raise NoAddress("it is neither @name of a channel, nor a link to it, nor the address of a feed")


def _linked(path: str) -> str:
    if INVITATION.match(path):
        raise NoAddress(
            "an invitation is no address: let the account join by it, then give the id of the channel, -100…"
        )
    if found := CLOSED.match(path):
        return checked(f"-100{found[1]}")
    if found := MESSAGE.match(path):
        path = found[1]
    return _named(path)


def _named(address: str) -> str:
    try:
        return checked(address)
    except NoAddress:
        raise NoAddress("it is no name of a channel: give @name, a link to it, or its id, -100…") from None
