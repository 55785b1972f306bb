"""How a client and the server agree on an authorisation key (https://core.telegram.org/mtproto/auth_key)."""

import math
import os
import secrets
import struct
import time
from hashlib import sha1
from typing import Any

import rsa
import rsa.prime

from sandbox.telegram.keys import Key
from sandbox.telegram.primes import GENERATOR, PROOF_OF_WORK, SAFE_PRIME, SAFE_PRIME_BYTES
from sandbox.telegram.wire import (
    decrypt_ige,
    encrypt_ige,
    fn,
    proof_of_key,
    read_object,
    rsa_fingerprint,
    temporary_key,
    tl,
)

RSA_BITS = 2048
RSA_EXPONENT = 65537
PLAIN_HEADER_BYTES = 20  # key id 0, message id, length
SHA1_BYTES = 20


def make_rsa_key() -> str:
    """A new private key for a server, as PKCS#1 PEM."""
    p, q = _random_prime(), _random_prime()
    private = rsa.PrivateKey(p * q, RSA_EXPONENT, pow(RSA_EXPONENT, -1, (p - 1) * (q - 1)), p, q)
    return str(private.save_pkcs1().decode())


def _random_prime() -> int:
    """A prime of half the key's bits, its two highest bits and the lowest set.

    `rsa.newkeys` takes seconds; leaving out what small primes divide is ten times as fast.
    """
    small = math.prod(n for n in range(3, 2000, 2) if all(n % divisor for divisor in range(3, math.isqrt(n) + 1, 2)))
    while True:
        candidate = secrets.randbits(RSA_BITS // 2) | 3 << (RSA_BITS // 2 - 2) | 1
        if math.gcd(candidate, small) == 1 and candidate % RSA_EXPONENT != 1 and rsa.prime.is_prime(candidate):
            return candidate


class ServerKey:
    """The server's RSA key, by which clients know whom they talk to."""

    def __init__(self, private_pem: str) -> None:
        self._private = rsa.PrivateKey.load_pkcs1(private_pem.encode())
        public = rsa.PublicKey(self._private.n, self._private.e)
        self.public_pem: str = public.save_pkcs1().decode()
        self.fingerprint: int = rsa_fingerprint(public)

    def decrypt(self, encrypted: bytes) -> bytes:
        """Undo `RSA(SHA1(data) + data + padding)`; the hash comes first in what is returned."""
        number = pow(int.from_bytes(encrypted, "big"), self._private.d, self._private.n)
        return number.to_bytes(RSA_BITS // 8, "big")[1:]


class Handshake:
    """One exchange, in the order of the protocol; anything else is a ConnectionError."""

    def __init__(self, server_key: ServerKey) -> None:
        self._server_key = server_key
        self._server_nonce = int.from_bytes(os.urandom(16), "big", signed=True)
        self._secret = secrets.randbits(2048)
        self._new_nonce = 0
        self._temporary = (b"", b"")
        self.agreed: Key | None = None

    def answer(self, packet: bytes) -> bytes:
        """The unencrypted answer to an unencrypted request; after the last one `agreed` is the key."""
        request = read_object(packet[PLAIN_HEADER_BYTES:])
        match request:
            case fn.ReqPqMultiRequest() | fn.ReqPqRequest():
                answer = self._introduce(request)
            case fn.ReqDHParamsRequest():
                answer = self._offer(request)
            case fn.SetClientDHParamsRequest():
                answer = self._agree(request)
            case _:
                raise ConnectionError(f"Not part of the key exchange: {type(request).__name__}")
        body = bytes(answer)
        message_id = int(time.time() * 2**32) & ~3 | 1
        return struct.pack("<qqi", 0, message_id, len(body)) + body

    def _introduce(self, request: Any) -> Any:
        pq = PROOF_OF_WORK.to_bytes(8, "big")
        return tl.ResPQ(request.nonce, self._server_nonce, pq, [self._server_key.fingerprint])

    def _offer(self, request: Any) -> Any:
        inner = read_object(self._server_key.decrypt(request.encrypted_data)[SHA1_BYTES:])
        self._new_nonce = inner.new_nonce
        half = pow(GENERATOR, self._secret, SAFE_PRIME).to_bytes(256, "big")
        now = int(time.time())
        offer = tl.ServerDHInnerData(request.nonce, self._server_nonce, GENERATOR, SAFE_PRIME_BYTES, half, now)
        plain = sha1(bytes(offer), usedforsecurity=False).digest() + bytes(offer)
        plain += os.urandom(-len(plain) % 16)
        self._temporary = temporary_key(self._server_nonce, self._new_nonce)
        return tl.ServerDHParamsOk(request.nonce, self._server_nonce, encrypt_ige(plain, *self._temporary))

    def _agree(self, request: Any) -> Any:
        plain = decrypt_ige(request.encrypted_data, *self._temporary)
        inner = read_object(plain[SHA1_BYTES:])
        shared = pow(int.from_bytes(inner.g_b, "big"), self._secret, SAFE_PRIME).to_bytes(256, "big")
        self.agreed = Key(shared)
        proof = proof_of_key(shared, self._new_nonce)
        return tl.DhGenOk(request.nonce, self._server_nonce, proof)
