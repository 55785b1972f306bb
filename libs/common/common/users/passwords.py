"""Passwords: argon2id (RFC 9106), and the rules of NIST SP 800-63B: long enough, and no composition rules."""

import asyncio

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

SHORTEST, LONGEST = 10, 1000  # characters; the longest bounds the work
AT_ONCE = 2  # each takes 64 MiB while it is made or verified


class WrongTerms(ValueError):
    """What was given of a user is no good; the message says why."""


class PasswordRefused(WrongTerms):
    """The password is no good; the message says why."""


class WrongPassword(Exception):
    """That is not the password."""


class Passwords:
    """Makes and verifies hashes, in threads: either takes a tenth of a second."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._nobodys = ""

    async def hashed(self, password: str, *, login: str = "") -> str:
        """Return what is stored of a new password. Raises PasswordRefused."""
        check(password, login=login)
        async with self._turns:
            return await asyncio.to_thread(self._hasher.hash, password)

    async def verify(self, stored: str | None, password: str) -> str | None:
        """Raise WrongPassword unless it is the password; return a new hash where the stored one is out of date.

        Without a stored hash it is wrong, after the same time.
        """
        async with self._turns:
            matches = await asyncio.to_thread(self._matches, stored, password)
            if stored is None or not matches:
                raise WrongPassword("that is not the password")
            if self._hasher.check_needs_rehash(stored):
                return await asyncio.to_thread(self._hasher.hash, password)
        return None

    def _matches(self, stored: str | None, password: str) -> bool:
        if stored is None and not self._nobodys:
            self._nobodys = self._hasher.hash("nobody has this password")
        try:
            return len(password) <= LONGEST and self._hasher.verify(stored or self._nobodys, password)
        except (VerificationError, InvalidHashError):
            return False


def check(password: str, *, login: str = "") -> None:
    """Raise PasswordRefused where a new password is no good."""
    if len(password) < SHORTEST:
        raise PasswordRefused(f"a password needs at least {SHORTEST} characters")
    if len(password) > LONGEST:
        raise PasswordRefused(f"a password may have {LONGEST} characters")
    if login and password.casefold() == login.casefold():
        raise PasswordRefused("the password must not be the login")
    if len(set(password)) == 1:
        raise PasswordRefused("a password must not be one character, repeated")
