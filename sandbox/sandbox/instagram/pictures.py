"""The picture of a container: really fetched from its address, checked, and scaled as Instagram does.

https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media#image-specifications
"""

import io
import ipaddress
import time
from http.client import HTTPConnection, HTTPException
from urllib.parse import SplitResult, urlsplit

from PIL import Image

from sandbox.instagram.errors import GraphError, refused

MOST_BYTES = 8 * 2**20
LOWEST_RATIO, HIGHEST_RATIO = 4 / 5, 1.91
SLACK = 0.01  # of a ratio: sides are whole pixels, and 1.91 is itself rounded
NARROWEST, WIDEST = 320, 1440
AGENT = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"


def fetch(address: str, timeout: float) -> bytes:
    """Return what is at an address, all of it within `timeout` seconds; it must be on this machine. Blocking.

    Raises the errors 9004 (not to be had), -2 (too slow) and 36000 (too large).
    """
    try:
        parts = urlsplit(address)
        allowed = parts.scheme == "http" and _is_loopback(parts.hostname or "") and parts.username is None
        port = parts.port
    except ValueError:
        allowed = False
    if not allowed:
        raise _not_fetched(address)
    try:
        return _read(parts, port or 80, time.monotonic() + timeout)
    except TimeoutError:
        title = "Timeout"
        raise refused(-2, 2207003, title, "It takes too long to download the media.", transient=True) from None
    except (OSError, HTTPException, UnicodeError):
        raise _not_fetched(address) from None


def accepted(content: bytes) -> bytes:
    """Return a picture as Instagram shows it: a JPEG of 320 to 1,440 pixels in width. Blocking.

    Raises the errors 36001 (no JPEG) and 36003 (too tall or too wide).
    """
    try:
        with Image.open(io.BytesIO(content)) as image:
            kind = image.format or "unknown"
            if kind not in ("JPEG", "MPO"):  # MPO: a JPEG with further ones behind it, as telephones make them
                raise _not_a_jpeg(kind)
            image.load()
            ratio = image.width / image.height
            if not LOWEST_RATIO - SLACK <= ratio <= HIGHEST_RATIO + SLACK:
                said = (
                    f"The submitted image with aspect ratio ('{image.width}/{image.height}',) cannot be published. "
                    "Please submit an image with a valid aspect ratio."
                )
                raise refused(36003, 2207009, "Unsupported aspect ratio", said)
            return _scaled(image, content)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        raise _not_a_jpeg("unknown") from None


def _scaled(image: Image.Image, content: bytes) -> bytes:
    width = min(max(image.width, NARROWEST), WIDEST)
    if width == image.width:
        return content
    written = io.BytesIO()
    size = (width, round(image.height * width / image.width))
    image.convert("RGB").resize(size, Image.Resampling.LANCZOS).save(written, "JPEG", quality=90)
    return written.getvalue()


def _read(parts: SplitResult, port: int, deadline: float) -> bytes:
    connection = HTTPConnection(parts.hostname or "", port, timeout=max(0.001, deadline - time.monotonic()))
    try:
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", target, headers={"user-agent": AGENT, "accept": "*/*"})
        response = connection.getresponse()
        if response.status != 200:  # not even a redirect: it could lead away from this machine
            raise HTTPException(f"status {response.status}")
        content = bytearray()
        while part := response.read1(2**16):
            content += part
            if len(content) > MOST_BYTES:
                said = "The image is too large to download. It should be less than 8 MiB."
                raise refused(36000, 2207004, "Image size too large", said)
            if time.monotonic() > deadline:
                raise TimeoutError
        return bytes(content)
    finally:
        connection.close()


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _not_fetched(address: str) -> GraphError:
    said = f"The media could not be fetched from this uri: {address}"
    return refused(9004, 2207052, "Only photo or video can be accepted as media type.", said)


def _not_a_jpeg(kind: str) -> GraphError:
    said = f"The image format {kind.lower()} is not supported. Supported formats are: JPEG."
    return refused(36001, 2207005, "Unsupported format", said)
