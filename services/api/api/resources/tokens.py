"""Tokens: which programs may call the API."""

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from fastapi import Path
from pydantic import Field, StringConstraints

from api.http.calls import Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Moment, Utc
from api.statements import statement
from common.tokens import Scope, Token, Tokens

router = resource("tokens", read="admin", write="admin")

TokenName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$")]


class NewToken(Given):
    """A token."""

    name: TokenName = Field(description="as records name who called; of the valid ones each has another")
    scope: Scope = Field(default="read", description="each includes the ones before it")
    expires_at: Moment | None = Field(default=None, description="null: never")


class KnownToken(Answer):
    """A token, without its secret."""

    id: UUID
    name: str
    scope: Scope
    created_by: str
    created_at: Utc
    expires_at: Utc | None
    revoked_at: Utc | None
    last_used_at: Utc | None = Field(description="to the minute")


class CreatedToken(KnownToken):
    """A token with its secret, which is shown this once."""

    secret: str


@router.get("")
async def list_tokens(page: Paged) -> Page[KnownToken]:
    """List tokens, also those that expired or were revoked."""
    return await page.of(KnownToken, statement("people", "list_tokens"))


@router.post("", status_code=201)
async def create_token(given: NewToken, call: Calling) -> CreatedToken:
    """Make a token. The answer has its secret, this once."""
    if given.expires_at and given.expires_at <= datetime.now(UTC):
        where = {"in": "body", "pointer": "/expires_at", "detail": "it is over"}
        raise Problem("invalid", "a token that has expired is of no use", errors=[where])
    tokens = Tokens(call.database)
    made, secret = await tokens.create(given.name, given.scope, expires_at=given.expires_at, by=call.actor)
    call.created(made.name)
    return CreatedToken(**_fields(made), secret=secret)


@router.post("/{name}/revoke")
async def revoke_token(name: Annotated[str, Path(max_length=200)], call: Calling) -> KnownToken:
    """Refuse a token from now on."""
    return KnownToken(**_fields(await Tokens(call.database).revoke(name)))


def _fields(token: Token) -> dict[str, Any]:
    return {name: getattr(token, name) for name in KnownToken.model_fields}
