"""Users and their roles."""

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.routes import screen
from api.panel.screens.settings.form import Form, refused
from api.resources.users import (
    NewPassword,
    NewUser,
    UserChange,
    change_user,
    create_user,
    disable_user,
    enable_user,
    end_user_sessions,
    get_user,
    list_user_sessions,
    list_users,
    set_password,
)

router = screen()


@router.get("/settings/users")
async def show_users(desk: Asking, cursor: str = "") -> Response:
    """List the users."""
    return desk.page("settings_users.html", users=await desk.read(list_users, cursor=cursor))


@router.get("/settings/new-user")
async def show_new_user(desk: Asking) -> Response:
    """Show the form of a new user."""
    await desk.read(list_users, limit=1)  # who may not see them may not add one
    return desk.page("settings_user_new.html", form=Form({"role": "editor"}))


@router.post("/settings/users")
async def add_user(desk: Asking) -> Response:
    """Add a user."""
    given = await desk.form()
    names = ("login", "name", "role", "password")
    try:
        values = {name: given[name] for name in names if given.get(name)}
        made = await desk.act(create_user, given=desk.given(NewUser, **values))
    except Problem as problem:
        form = refused(desk, given | {"password": ""}, problem)
        return desk.page("settings_user_new.html", status=form.status, form=form)
    return desk.redirect(f"/settings/users/{made.login}?saved=made")


@router.get("/settings/users/{login}")
async def show_user(desk: Asking, login: str, saved: str = "") -> Response:
    """Show a user."""
    said = {
        "made": desk.gettext("They may sign in now; give them the password"),
        "saved": desk.gettext("Saved"),
        "password": desk.gettext("The password is changed, and they are signed out everywhere"),
        "out": desk.gettext("They are signed out everywhere"),
    }
    if saved in said:
        desk.toast(said[saved])
    return await _user(desk, login)


@router.post("/settings/users/{login}")
async def save_user(desk: Asking, login: str) -> Response:
    """Change a user's name or role."""
    given = await desk.form()
    try:
        change = desk.given(UserChange, name=given.get("name", ""), role=given.get("role", ""))
        await desk.act(change_user, login=login, change=change)
    except Problem as problem:
        return await _user(desk, login, terms=refused(desk, given, problem))
    return desk.redirect(f"/settings/users/{login}?saved=saved")


@router.post("/settings/users/{login}/password")
async def save_password(desk: Asking, login: str) -> Response:
    """Give a user another password."""
    given = await desk.form()
    try:
        body = desk.given(NewPassword, password=given.get("password", ""))
        await desk.act(set_password, login=login, given=body)
    except Problem as problem:
        return await _user(desk, login, password=refused(desk, {}, problem))
    return desk.redirect(f"/settings/users/{login}?saved=password")


@router.post("/settings/users/{login}/sign-out")
async def sign_out_user(desk: Asking, login: str) -> Response:
    """End a user's sessions."""
    await desk.act(end_user_sessions, login=login)
    return desk.redirect(f"/settings/users/{login}?saved=out")


@router.post("/settings/users/{login}/{verb}")
async def switch_user(desk: Asking, login: str, verb: str) -> Response:
    """Let a user sign in no more, or again."""
    if verb not in ("disable", "enable"):
        raise Problem("not-found", "there is no such path")
    try:
        await desk.act(disable_user if verb == "disable" else enable_user, login=login)
    except Problem as problem:
        return await _user(desk, login, terms=refused(desk, {}, problem))
    return desk.redirect(f"/settings/users/{login}?saved=saved")


async def _user(desk: Desk, login: str, *, terms: Form | None = None, password: Form | None = None) -> Response:
    user = await desk.read(get_user, login=login)
    sessions = await desk.read(list_user_sessions, login=login)
    forms = [each for each in (terms, password) if each]
    if terms and not terms["role"]:
        terms.values = user.model_dump()
    return desk.page(
        "settings_user.html",
        status=forms[0].status if forms else 200,
        user=user,
        sessions=sessions,
        terms=terms or Form(user.model_dump()),
        password=password or Form({}),
    )
