"""The cookie that holds a session's secret, https://datatracker.ietf.org/doc/html/draft-ietf-httpbis-rfc6265bis"""

import ipaddress

from starlette.requests import Request
from starlette.responses import Response

# A browser takes `__Host-` only over https, for this host alone and all its paths. Over plain http it takes no such
# cookie, and we send none but to the machine that it runs on.
SECURE, PLAIN = "__Host-postroom", "postroom"


def safe(request: Request) -> bool:
    """Whether nobody between the browser and us can read what is sent: by https, or within this machine."""
    return request.url.scheme == "https" or _is_loopback(request.url.hostname or "")


def secret_of(request: Request) -> str:
    """Return the secret that a request brings, or nothing."""
    return request.cookies.get(_name(request), "")


def give(response: Response, request: Request, secret: str, days: float) -> None:
    """Give a browser its secret."""
    _set(response, request, secret, int(days * 86_400))


def take(response: Response, request: Request) -> None:
    """Let a browser forget it."""
    _set(response, request, "", 0)


def _set(response: Response, request: Request, value: str, seconds: int) -> None:
    secure = request.url.scheme == "https"
    response.set_cookie(_name(request), value, max_age=seconds, path="/", secure=secure, httponly=True, samesite="lax")


def _name(request: Request) -> str:
    return SECURE if request.url.scheme == "https" else PLAIN


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
