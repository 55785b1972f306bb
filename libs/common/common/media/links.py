"""Addresses of pictures that a platform may fetch for a while: the api serves them, signed, to whoever has one."""

import hashlib
import hmac
import re
import time
from collections.abc import Callable

from pydantic import Field, SecretStr

from common.settings import SettingsGroup

PATH = "/media"
HASH = re.compile(r"[0-9a-f]{64}")
EXPIRES = re.compile(r"[1-9]\d{0,11}")  # Unix seconds
PURPOSE = b"postroom media link"  # the secret may serve something else one day


class MediaLinkSettings(SettingsGroup):
    """Where others reach the api, and what its links are signed with."""

    api_base_url: str = Field(
        default="http://127.0.0.1:8080", pattern=r"^https?://\S+$", description="where others reach the api"
    )
    media_url_secret: SecretStr | None = Field(
        default=None, min_length=16, description="signs the addresses of pictures; the same for api and publisher"
    )


class LinkRefused(Exception):
    """The address was not signed by us, or its time is over."""


class MediaLinks:
    """Makes and checks addresses. `clock` tells Unix seconds."""

    def __init__(self, secret: str, base_url: str, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret.encode()
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def address(self, digest: str, seconds: float) -> str:
        """Return an address of the image with this hash that is good for so long."""
        expires = str(int(self._clock() + seconds))
        return f"{self._base_url}{PATH}/{digest}.jpg?expires={expires}&signature={self._signature(digest, expires)}"

    def check(self, digest: str, expires: str, signature: str) -> None:
        """Raise LinkRefused where the address is not one of ours, or is over."""
        if not HASH.fullmatch(digest) or not EXPIRES.fullmatch(expires):
            raise LinkRefused("the address is not one of ours")
        if not hmac.compare_digest(self._signature(digest, expires).encode(), signature.encode("utf-8", "replace")):
            raise LinkRefused("the signature is wrong")
        if self._clock() >= int(expires):
            raise LinkRefused("the address has expired")

    def _signature(self, digest: str, expires: str) -> str:
        signed = b"\n".join((PURPOSE, digest.encode(), expires.encode()))
        return hmac.new(self._secret, signed, hashlib.sha256).hexdigest()
