"""Which network addresses may be read over HTTP, and a transport that connects to no others. Needs the `http` extra.

An address is typed by a person, comes from a feed or from a redirect; without this guard it could make a service read
what only machines inside can reach (server-side request forgery, https://owasp.org/www-community/attacks/SSRF).
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

import httpx

Resolver = Callable[[str, int], Awaitable[list[str]]]
"""Gives the IP addresses of a host name, to connect to a port; raises `OSError` for an unknown name."""

_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_LOCAL_NAT64 = IPv6Network("64:ff9b:1::/48")  # RFC 8215
_IPV4_COMPATIBLE = IPv6Network("::/96")  # deprecated by RFC 4291


class AddressRefused(httpx.ConnectError):
    """The address is not a public one, and private ones are not allowed."""


async def resolve(host: str, port: int) -> list[str]:
    """The system's resolver."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for _, _, _, _, address in found))


def is_public(address: str) -> bool:
    """Whether an IP address belongs to the public internet: not private, loopback, link-local, shared, multicast,
    reserved or unspecified (the IANA special-purpose registries), by itself or as the IPv4 address it embeds."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        embedded = _embedded(ip)
        if embedded is not None:
            return is_public(str(embedded))
        if ip in _LOCAL_NAT64 or ip in _IPV4_COMPATIBLE or ip.is_site_local or ip.teredo:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or ip.is_unspecified)


def is_any(address: str) -> bool:  # noqa: ARG001
    """Allows private addresses too, for installations that read from their own network."""
    return True


def _embedded(ip: IPv6Address) -> IPv4Address | None:
    if ip in _NAT64:
        return IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour


class PinnedTransport(httpx.AsyncBaseTransport):
    """Resolves a host once, checks every address that it has, and connects to just these: a name that changes its
    answer between check and connection (DNS rebinding) gains nothing. TLS still verifies the name.

    Raises `AddressRefused` where any address of the host isn't `allowed`.
    """

    def __init__(self, *, allowed: Callable[[str], bool] = is_public, resolver: Resolver = resolve) -> None:
        self._allowed = allowed
        self._resolver = resolver
        # Connections are kept by address, not by name: one that was verified for another name must not be used again.
        self._transport = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_keepalive_connections=0), trust_env=False)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Tries the host's addresses in the resolver's order."""
        if request.url.scheme not in ("http", "https"):
            raise httpx.UnsupportedProtocol(f"{request.url.scheme} is not read, only http(s)", request=request)
        host = _name(request)
        failure = httpx.ConnectError(f"{host} has no address", request=request)
        for address in await self._addresses(request):
            try:
                return await self._transport.handle_async_request(_pinned(request, address))
            except (httpx.ConnectError, httpx.ConnectTimeout) as error:
                failure = httpx.ConnectError(f"{host} ({address}): {error or type(error).__name__}", request=request)
        raise failure

    async def aclose(self) -> None:
        """Closes what is open."""
        await self._transport.aclose()

    async def _addresses(self, request: httpx.Request) -> list[str]:
        host, port = _name(request), request.url.port or (443 if request.url.scheme == "https" else 80)
        try:
            addresses = await self._resolver(host, port)
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(f"{host} is not known to DNS: {error}", request=request) from error
        refused = [address for address in addresses if not self._allowed(address)]
        if refused:
            raise AddressRefused(f"{host} is {refused[0]}, which is not a public address", request=request)
        return addresses


def _pinned(request: httpx.Request, address: str) -> httpx.Request:
    """The request to an address in place of the name; the `Host` header is already set from the name."""
    return httpx.Request(
        request.method,
        request.url.copy_with(host=address.partition("%")[0]),
        headers=request.headers,
        stream=request.stream,
        extensions=request.extensions | {"sni_hostname": _name(request)},
    )


def _name(request: httpx.Request) -> str:
    """The host in the form that DNS and TLS use (RFC 5890 A-labels)."""
    return request.url.raw_host.decode("ascii")
