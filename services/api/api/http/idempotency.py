"""POST requests that are repeated, https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/

What was answered is stored in the transaction of the effect, so there is never one without the other. While a request
is under way a lock that ends with its transaction says so. Only successes are stored: what was refused had no effect,
and may be asked for again.
"""

import hashlib
import re
from dataclasses import dataclass
from uuid import UUID

from starlette.requests import Request
from starlette.responses import Response

from api.http.problems import Problem
from api.statements import statement
from common.postgres import Connection

KEY = re.compile(r'"?(?P<key>[\x21\x23-\x7e]{1,255})"?')
KEPT_HEADERS = ("content-type", "location", "etag")


@dataclass(frozen=True, slots=True)
class Repeatable:
    """A request with a key."""

    token_id: UUID
    key: str
    method: str
    path: str
    digest: bytes

    @classmethod
    def of(cls, request: Request, token_id: UUID, body: bytes) -> "Repeatable | None":
        """Return a request that has a key, else None. Raises a problem where the key is not well-formed."""
        given = request.headers.get("idempotency-key")
        if request.method != "POST" or given is None:
            return None
        well_formed = KEY.fullmatch(given)
        if not well_formed:
            raise Problem("malformed", "Idempotency-Key must be 1 to 255 visible ASCII characters")
        digest = hashlib.sha256(request.url.query.encode() + b"\n" + body).digest()
        return cls(token_id, well_formed["key"], request.method, request.url.path, digest)

    @property
    def _identity(self) -> tuple[UUID, str, str, str]:
        return self.token_id, self.key, self.method, self.path

    async def begin(self, connection: Connection) -> Response | None:
        """Return what was answered before, or None where it is to be done now, by us alone. Raises a problem."""
        if not await connection.fetchval(statement("http", "try_key"), "/".join(map(str, self._identity))):
            raise Problem("in-progress", "wait for the first one", headers={"Retry-After": "1"})
        row = await connection.fetchrow(statement("http", "find_key"), *self._identity)
        if row is None:
            return None
        if bytes(row["request"]) != self.digest:
            raise Problem("key-reused", "the same key came with another body before; a new request needs a new key")
        return Response(bytes(row["body"]), row["status"], {**row["headers"], "Idempotency-Replayed": "true"})

    async def keep(self, connection: Connection, response: Response) -> None:
        """Store the answer with its effect."""
        headers = {name: value for name, value in response.headers.items() if name in KEPT_HEADERS}
        await connection.execute(
            statement("http", "keep_key"),
            *self._identity,
            self.digest,
            response.status_code,
            headers,
            bytes(response.body),
        )
