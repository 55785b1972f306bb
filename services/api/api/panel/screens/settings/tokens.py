"""Tokens of programs."""

from datetime import UTC, datetime, timedelta

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.settings.form import Form, refused
from api.resources.tokens import CreatedToken, NewToken, create_token, list_tokens, revoke_token

router = screen()

LIFETIMES = ("30", "90", "365", "never")  # days
FIRST = {"scope": "read", "days": "90"}


@router.get("/settings/tokens")
async def show_tokens(desk: Asking, cursor: str = "") -> Response:
    """List the tokens."""
    return await _tokens(desk, cursor=cursor)


@router.post("/settings/tokens")
async def add_token(desk: Asking) -> Response:
    """Make a token; its secret is on the page, this once."""
    given = await desk.form()
    days = given.get("days", "")
    expires_at = datetime.now(UTC) + timedelta(days=int(days)) if days in LIFETIMES[:-1] else None
    try:
        body = desk.given(NewToken, name=given.get("name", ""), scope=given.get("scope", ""), expires_at=expires_at)
        made = await desk.act(create_token, given=body)
    except Problem as problem:
        return await _tokens(desk, form=refused(desk, given, problem))
    return await _tokens(desk, made=made)


@router.post("/settings/tokens/{name}/revoke")
async def refuse_token(desk: Asking, name: str) -> Response:
    """Refuse a token from now on."""
    await desk.act(revoke_token, name=name)
    return desk.redirect("/settings/tokens")


async def _tokens(
    desk: Desk, *, cursor: str = "", form: Form | None = None, made: CreatedToken | None = None
) -> Response:
    tokens = await desk.read(list_tokens, cursor=cursor)
    return desk.page(
        "settings_tokens.html",
        status=form.status if form else 200,
        tokens=tokens,
        form=form or Form(FIRST),
        made=made,
        lifetimes=LIFETIMES,
        now=datetime.now(UTC),
    )
