"""Tickets: what a browser, which can't send a header with these connections, shows in place of its token. Once."""

import secrets
from datetime import datetime
from uuid import UUID

from api.statements import statement
from common.postgres import Database
from common.tokens import Token, TokenRefused, digest

VALID_SECONDS = 30.0


class Tickets:
    """Makes and redeems tickets."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def issue(self, token_id: UUID) -> tuple[str, datetime]:
        """Make a ticket for the owner of a token; return it, and until when it is good."""
        ticket = secrets.token_urlsafe(24)
        row = await self._database.fetchrow(statement("live", "issue"), digest(ticket), token_id, VALID_SECONDS)
        assert row
        return ticket, row["expires_at"]

    async def redeem(self, ticket: str) -> Token:
        """Use a ticket up and return its token. Raises TokenRefused."""
        rows = await self._database.strict_fetch(statement("live", "redeem"), digest(ticket))
        if not rows:
            raise TokenRefused("the ticket is not known, has expired, or was used")
        return Token(**dict(rows[0]))
