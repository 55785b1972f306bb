"""The two-factor password: the server's half of SRP (https://core.telegram.org/api/srp)."""

import secrets
from dataclasses import dataclass
from typing import Any

from sandbox.telegram.errors import RpcError
from sandbox.telegram.primes import GENERATOR, SAFE_PRIME, SAFE_PRIME_BYTES
from sandbox.telegram.wire import srp, tl

SALT_BYTES = 16
GENERATOR_BYTES = GENERATOR.to_bytes(256, "big")
MULTIPLIER = int.from_bytes(srp.sha256(SAFE_PRIME_BYTES, GENERATOR_BYTES), "big")


def make_verifier(password: str) -> bytes:
    """What the server keeps in place of a password: two salts and the verifier. Empty for no password."""
    if not password:
        return b""
    salts = secrets.token_bytes(2 * SALT_BYTES)
    return salts + bytes(srp.compute_digest(_algorithm(salts), password))


def _algorithm(stored: bytes) -> Any:
    return tl.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        stored[:SALT_BYTES], stored[SALT_BYTES : 2 * SALT_BYTES], GENERATOR, SAFE_PRIME_BYTES
    )


@dataclass(frozen=True, slots=True)
class Challenge:
    """One check of a password: what was stored, the server's secret b, and the number it goes by."""

    stored: bytes
    secret: int
    number: int

    @classmethod
    def of(cls, stored: bytes) -> "Challenge":
        """A new check."""
        return cls(stored, secrets.randbits(2048), secrets.randbits(62))

    def ask(self) -> Any:
        """The account.password that the client answers to."""
        return tl.account.Password(
            new_algo=_algorithm(self.stored),
            new_secure_algo=tl.SecurePasswordKdfAlgoUnknown(),
            secure_random=secrets.token_bytes(256),
            has_password=True,
            current_algo=_algorithm(self.stored),
            srp_B=self._public().to_bytes(256, "big"),
            srp_id=self.number,
        )

    @staticmethod
    def unneeded() -> Any:
        """The account.password of an account that has none."""
        return tl.account.Password(
            new_algo=_algorithm(secrets.token_bytes(2 * SALT_BYTES)),
            new_secure_algo=tl.SecurePasswordKdfAlgoUnknown(),
            secure_random=secrets.token_bytes(256),
        )

    def check(self, answer: Any) -> None:
        """Whether the client knows the password: 400 SRP_ID_INVALID or PASSWORD_HASH_INVALID if not."""
        if answer.srp_id != self.number:
            raise RpcError.bad_request("SRP_ID_INVALID")
        ours = self._public().to_bytes(256, "big")
        theirs = int.from_bytes(answer.A, "big")
        mix = int.from_bytes(srp.sha256(theirs.to_bytes(256, "big"), ours), "big")
        shared = pow(theirs * pow(self._verifier(), mix, SAFE_PRIME), self.secret, SAFE_PRIME)
        expected = srp.sha256(
            srp.xor(srp.sha256(SAFE_PRIME_BYTES), srp.sha256(GENERATOR_BYTES)),
            srp.sha256(self.stored[:SALT_BYTES]),
            srp.sha256(self.stored[SALT_BYTES : 2 * SALT_BYTES]),
            answer.A,
            ours,
            srp.sha256(shared.to_bytes(256, "big")),
        )
        if not 1 < theirs < SAFE_PRIME - 1 or not secrets.compare_digest(expected, answer.M1):
            raise RpcError.bad_request("PASSWORD_HASH_INVALID")

    def _verifier(self) -> int:
        return int.from_bytes(self.stored[2 * SALT_BYTES :], "big")

    def _public(self) -> int:
        return (MULTIPLIER * self._verifier() + pow(GENERATOR, self.secret, SAFE_PRIME)) % SAFE_PRIME
