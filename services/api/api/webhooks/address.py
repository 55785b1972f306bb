"""Which addresses a webhook may have. What a name resolves to is checked at every attempt, see common.addresses."""

import contextlib
import socket
from ipaddress import ip_address

import httpx

from common.addresses import is_public


def refuse(url: str, *, allow_private: bool) -> str | None:
    """Return why an address can't be a webhook's, or None."""
    try:
        parsed = httpx.URL(url)
        host = parsed.raw_host.decode("ascii")
    except (httpx.InvalidURL, ValueError) as error:
        return f"it is no address: {error}"
    if parsed.scheme not in ("http", "https") or not host:
        return "it must begin with https:// or http://, and name a host"
    if parsed.userinfo or parsed.fragment:
        return "it can have neither a user nor a fragment"
    if allow_private:
        return None
    return None if _may_be_public(host.strip("[]")) else "it is not a public address"


def _may_be_public(host: str) -> bool:
    with contextlib.suppress(ValueError):
        return is_public(str(ip_address(host)))
    with contextlib.suppress(OSError):  # 2130706433, 0x7f.1: what the system's resolver takes for an address as well
        return is_public(socket.inet_ntoa(socket.inet_aton(host)))
    return host != "localhost" and not host.endswith(".localhost")
