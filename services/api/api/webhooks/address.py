"""Which addresses a webhook may have. What a name resolves to is checked at every attempt, see common.addresses."""

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
    try:
        public = is_public(str(ip_address(host.strip("[]"))))
    except ValueError:  # a name
        public = host != "localhost" and not host.endswith(".localhost")
    return None if public else "it is not a public address"
