"""Sign-ins that are under way."""

import secrets

from sandbox.telegram.errors import RpcError
from sandbox.telegram.keys import Key
from sandbox.telegram.passwords import Challenge
from sandbox.telegram.people import digits

CODE = "12345"


class Logins:
    """Codes that were sent, and password checks that were begun; a restart forgets them."""

    def __init__(self) -> None:
        self._code_hashes: dict[str, str] = {}
        self._challenges: dict[int, Challenge] = {}

    def send_code(self, phone: str) -> str:
        """Send the code (it is always 12345) and return its hash, or 400 PHONE_NUMBER_INVALID."""
        if not digits(phone):
            raise RpcError.bad_request("PHONE_NUMBER_INVALID")
        return self._code_hashes.setdefault(digits(phone), secrets.token_hex(9))

    def check_code(self, phone: str, code_hash: str, code: str | None) -> None:
        """400 PHONE_CODE_EXPIRED, PHONE_CODE_EMPTY or PHONE_CODE_INVALID unless it is the code that was sent."""
        if self._code_hashes.get(digits(phone)) != code_hash:
            raise RpcError.bad_request("PHONE_CODE_EXPIRED")
        if not code:
            raise RpcError.bad_request("PHONE_CODE_EMPTY")
        if code != CODE:
            raise RpcError.bad_request("PHONE_CODE_INVALID")

    def forget_code(self, phone: str) -> None:
        """The code was used."""
        self._code_hashes.pop(digits(phone), None)

    def challenge(self, key: Key, stored: bytes) -> Challenge:
        """Begin a password check."""
        challenge = self._challenges[key.id] = Challenge.of(stored)
        return challenge

    def take_challenge(self, key: Key) -> Challenge:
        """The password check that was begun, or 400 SRP_ID_INVALID; each serves once."""
        challenge = self._challenges.pop(key.id, None)
        if challenge is None:
            raise RpcError.bad_request("SRP_ID_INVALID")
        return challenge
