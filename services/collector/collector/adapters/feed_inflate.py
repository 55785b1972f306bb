"""Undoing the content coding of an answer without letting it expand beyond a bound (RFC 9110, section 8.4.1)."""

import zlib

from collector.adapters.feed_items import FeedError

_ANY_HEADER = zlib.MAX_WBITS | 32  # gzip or zlib
_NO_HEADER = -zlib.MAX_WBITS
_GZIP_MAGIC = b"\x1f\x8b"


class Inflated:
    """A body in gzip or deflate, decoded chunk by chunk. Raises `FeedError` for other codings and for broken data."""

    def __init__(self, coding: str, max_bytes: int) -> None:
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise FeedError(f"undecodable: an unknown content coding {coding[:40]!r}")
        self._coding = coding
        self._max_bytes = max_bytes
        self._decoder = zlib.decompressobj(_ANY_HEADER)
        self._begun = False

    def decoded(self, chunk: bytes) -> bytes:
        """What `chunk` expands to, up to one byte more than the bound."""
        content = self._inflate(chunk)
        # A gzip body may hold several members, one after the other (RFC 1952, section 2.2).
        while self._decoder.eof and self._decoder.unused_data.startswith(_GZIP_MAGIC):
            rest = self._decoder.unused_data
            self._decoder = zlib.decompressobj(_ANY_HEADER)
            content += self._inflate(rest)
            if len(content) > self._max_bytes:
                break
        return content

    def require_end(self) -> None:
        """Raises `FeedError` where the data stops before its end."""
        if not self._decoder.eof:
            raise FeedError(f"undecodable: {self._coding} data that ends too early")

    def _inflate(self, chunk: bytes) -> bytes:
        if self._decoder.eof:
            return b""
        try:
            content = self._decoder.decompress(chunk, self._max_bytes + 1)
        except zlib.error as error:
            if self._begun or self._coding != "deflate":
                raise FeedError(f"undecodable: broken {self._coding} data") from error
            # Many servers send "deflate" without the zlib header that the RFC asks for.
            self._decoder = zlib.decompressobj(_NO_HEADER)
            self._begun = True
            return self._inflate(chunk)
        self._begun = True
        return content
