"""Who sends a request."""

from collections.abc import Awaitable, Callable
from zoneinfo import ZoneInfo

from starlette.requests import Request

from api.panel.sessions.cookie import secret_of
from api.panel.viewer import Viewer, preferred_language
from common.users import Session, Sessions


def identifier(sessions: Sessions) -> Callable[[Request], Awaitable[Viewer]]:
    """Return what tells who sends a request: somebody without a session at worst."""

    async def identify(request: Request) -> Viewer:
        secret = secret_of(request)
        session = await sessions.check(secret) if secret else None
        return viewer_of(session) if session else Viewer(preferred_language(request.headers.get("accept-language", "")))

    return identify


def viewer_of(session: Session) -> Viewer:
    """Return who looks at pages in a session."""
    person = session.person
    return Viewer(
        language=person.language,
        theme=person.theme,
        zone=ZoneInfo(person.time_zone),
        login=person.login,
        name=person.name,
        role=person.role,
        scope=person.scope,
        shortcuts=person.shortcuts,
        session=session.id,
    )
