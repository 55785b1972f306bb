"""`postroom token`: who may call the REST API."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import typer

from common.audit import record
from common.tokens import SCOPES, Scope, Token, Tokens
from postroom.connections import connected
from postroom.output import Json, ago, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="Tokens of the REST API: create, list, revoke.")

DURATION = re.compile(r"([1-9][0-9]{0,4})([hdw])")
HOURS = {"h": 1, "d": 24, "w": 168}

Name = Annotated[str, typer.Argument(help="What it is called in the list and in the audit log, such as panel.")]


@app.command()
def create(
    name: Name,
    scope: Annotated[str, typer.Option(help="read, write or admin; each includes the ones before it.")] = "read",
    expires: Annotated[str, typer.Option(help="After how long it expires: 12h, 90d, 8w, or never.")] = "90d",
    as_json: Json = False,
) -> None:
    """Make a token and show it, this once."""
    expires_at = _expiry(expires)
    token, secret = run(lambda: _create(_name(name), _scope(scope), expires_at))
    if as_json:
        print_json(_plain(token) | {"token": secret})
        return
    typer.echo(secret)
    until = f"until {expires_at:%Y-%m-%d %H:%M} UTC" if expires_at else "for ever"
    typer.echo(f"Token {token.name} is valid {until}, scope {token.scope}. It is not shown again.", err=True)


@app.command("list")
def list_tokens(as_json: Json = False) -> None:
    """List the tokens, without their secrets."""

    async def find() -> list[Token]:
        async with connected() as system:
            return await Tokens(system.database).all()

    found = run(find)
    if as_json:
        print_json([_plain(token) for token in found])
        return
    print_table(
        ("Token", "Scope", "State", "Last used", "Created by"),
        ((token.name, token.scope, _state(token), ago(token.last_used_at), token.created_by) for token in found),
    )


@app.command()
def revoke(name: Name) -> None:
    """Refuse a token from now on."""

    async def work() -> Token:
        async with connected() as system:
            revoked = await Tokens(system.database).revoke(name)
            await record(system.database, person(), "revoke_token", _path(revoked), after=_recorded(revoked))
            return revoked

    run(work)
    typer.echo(f"token {name} is revoked")


async def _create(name: str, scope: Scope, expires_at: datetime | None) -> tuple[Token, str]:
    async with connected() as system:
        made, secret = await Tokens(system.database).create(name, scope, expires_at=expires_at, by=person())
        await record(system.database, person(), "create_token", _path(made), after=_recorded(made))
        return made, secret


def _path(token: Token) -> str:
    return f"/api/v1/tokens/{token.name}"


def _recorded(token: Token) -> dict[str, Any]:
    expires = token.expires_at.isoformat() if token.expires_at else None
    return {"name": token.name, "scope": token.scope, "expires_at": expires}


def _name(given: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}", given):
        raise typer.BadParameter("letters, digits, dots, dashes and underscores, at most 63", param_hint="NAME")
    return given


def _scope(given: str) -> Scope:
    for scope in SCOPES:
        if scope == given:
            return scope
    raise typer.BadParameter(f"{given} is none of {', '.join(SCOPES)}", param_hint="--scope")


def _expiry(given: str) -> datetime | None:
    if given == "never":
        return None
    found = DURATION.fullmatch(given)
    if not found:
        raise typer.BadParameter("a number with h, d or w, such as 90d, or never", param_hint="--expires")
    return datetime.now(UTC) + timedelta(hours=int(found[1]) * HOURS[found[2]])


def _state(token: Token) -> str:
    if token.revoked_at:
        return "revoked"
    if token.expires_at is None:
        return "valid"
    expired = token.expires_at <= datetime.now(UTC)
    return f"{'EXPIRED' if expired else 'valid until'} {token.expires_at:%Y-%m-%d %H:%M}"


def _plain(token: Token) -> dict[str, Any]:
    return {
        "id": token.id,
        "name": token.name,
        "scope": token.scope,
        "created_by": token.created_by,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "revoked_at": token.revoked_at,
        "last_used_at": token.last_used_at,
    }
