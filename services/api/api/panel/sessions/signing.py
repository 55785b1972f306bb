"""Signing in and out, and the first start: one page that makes the administrator and looks at the connections."""

from dataclasses import replace
from typing import Annotated, Any
from urllib.parse import urlsplit

from fastapi import Form, Query
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.connections import connections
from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.sessions import cookie
from api.panel.viewer import LANGUAGES
from common.users import Session, Setup, SetupRefused, Throttled, WrongCredentials, WrongTerms

router = screen(signed_in=False)

Field = Annotated[str, Form(max_length=1000)]
NO_HTTPS = (
    "the panel is signed in to by https, or on this machine itself; behind a proxy that ends https, let the api believe"
    " it: FORWARDED_ALLOW_IPS"
)


@router.get("/sign-in")
async def show_sign_in(desk: Asking, next_: Annotated[str, Query(alias="next")] = "/", language: str = "") -> Response:
    """Ask who it is."""
    _speak(desk, language)
    if desk.viewer.session:
        return desk.redirect(within(next_))
    if await _setup(desk).needed():
        return desk.redirect("/set-up")
    return _sign_in(desk, next_)


@router.post("/sign-in")
async def sign_in(
    request: Request,
    desk: Asking,
    login: Field = "",
    password: Field = "",
    next_: Annotated[str, Form(alias="next", max_length=2000)] = "/",
    time_zone: Field = "",
    language: Field = "",
) -> Response:
    """Begin a session; that which this browser had ends."""
    _speak(desk, language)
    _check_safe(request)
    sessions = desk.system.sessions
    try:
        session, secret = await sessions.sign_in(login, password, **_browser(request, desk), time_zone=time_zone)
    except WrongCredentials:
        return _sign_in(desk, next_, login=login, wrong=True, status=401)
    except Throttled as error:
        answer = _sign_in(desk, next_, login=login, wait=error.seconds, status=429)
        answer.headers["Retry-After"] = str(error.seconds)
        return answer
    if before := cookie.secret_of(request):
        await sessions.sign_out(before)
    return _signed_in(request, desk, session, secret, within(next_))


@router.post("/sign-out")
async def sign_out(request: Request, desk: Asking) -> Response:
    """End the session."""
    await desk.system.sessions.sign_out(cookie.secret_of(request))
    answer = desk.redirect("/sign-in")
    cookie.take(answer, request)
    answer.headers["Clear-Site-Data"] = '"cache"'
    return answer


@router.get("/set-up")
async def show_set_up(request: Request, desk: Asking, code: str = "", language: str = "") -> Response:
    """Make the administrator, with a code."""
    _speak(desk, language)
    setup = _setup(desk)
    if not await setup.needed():
        return desk.redirect("/sign-in")
    _check_safe(request)
    if not code or not await setup.knows(code):
        return desk.page("set_up.html", code="", asked=bool(code), report=None, status=403 if code else 200)
    return await _set_up(desk, code)


@router.get("/set-up/connections")
async def show_connections(desk: Asking, code: str = "", language: str = "") -> Response:
    """Look at the connections once more."""
    _speak(desk, language)
    if not await _setup(desk).knows(code):
        raise Problem("forbidden", "the code is not valid any more")
    return await _set_up(desk, code)


@router.post("/set-up")
async def set_up(
    request: Request,
    desk: Asking,
    code: Field = "",
    login: Field = "",
    name: Field = "",
    password: Field = "",
    time_zone: Field = "",
    language: Field = "",
) -> Response:
    """Make the first administrator, and sign them in."""
    _speak(desk, language)
    _check_safe(request)
    try:
        made = await _setup(desk).redeem(code, login, name, password)
    except SetupRefused as error:
        raise Problem("forbidden", str(error)) from None
    except WrongTerms as error:
        field = "password" if "password" in str(error) else "login"
        return await _set_up(desk, code, login=login, name=name, wrong={field: str(error)}, status=422)
    session, secret = await desk.system.sessions.start(made.id, **_browser(request, desk), time_zone=time_zone)
    return _signed_in(request, desk, session, secret, "/")


def _sign_in(desk: Desk, next_: str, **values: Any) -> Response:
    given: dict[str, Any] = {"login": "", "wrong": False, "wait": 0} | values
    return desk.page("sign_in.html", next=within(next_), **given)


async def _set_up(desk: Desk, code: str, **values: Any) -> Response:
    report = await connections(desk.system.database, desk.system.nats)
    given: dict[str, Any] = {"login": "", "name": "", "wrong": {}, "asked": False} | values
    return desk.page("set_up.html", "connections", code=code, report=report, **given)


def _signed_in(request: Request, desk: Desk, session: Session, secret: str, path: str) -> Response:
    answer = RedirectResponse(path, 303)
    cookie.give(answer, request, secret, desk.system.sessions.settings.session_days)
    request.state.actor = f"user:{session.person.login}"
    return answer


def _browser(request: Request, desk: Desk) -> dict[str, Any]:
    address = request.client.host if request.client else ""
    agent = request.headers.get("user-agent", "")
    return {"address": address, "agent": agent, "language": desk.viewer.language}


def _setup(desk: Desk) -> Setup:
    return Setup(desk.system.database, desk.system.sessions.passwords)


def _speak(desk: Desk, language: str) -> None:
    if language in LANGUAGES and not desk.viewer.session:
        desk.viewer = replace(desk.viewer, language=LANGUAGES[language])


def _check_safe(request: Request) -> None:
    if not cookie.safe(request):
        raise Problem("forbidden", NO_HTTPS)


def within(path: str) -> str:
    """Return a path of this site, else the Overview: nobody is sent elsewhere by a link to the sign-in."""
    parts = urlsplit(path)
    plain = path.startswith("/") and not path.startswith("//") and "\\" not in path and path.isprintable()
    return path if plain and not parts.scheme and not parts.netloc else "/"
