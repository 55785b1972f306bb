"""The two likings that every page offers: language and theme."""

from typing import Annotated

from fastapi import Form
from starlette.responses import Response

from api.panel.desk import Asking
from api.panel.routes import screen
from api.panel.sessions.me import LikesChange, change_me
from api.panel.sessions.signing import within

router = screen()

Given = Annotated[str, Form(max_length=20)]


@router.post("/prefs")
async def change_preferences(
    desk: Asking,
    next_: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    language: Given = "",
    theme: Given = "",
) -> Response:
    """Speak another language, or show another theme, and go on where one was."""
    given = {name: value for name, value in (("language", language), ("theme", theme)) if value}
    if given:
        await desk.act(change_me, change=desk.given(LikesChange, **given))
    return desk.redirect(within(next_))
