"""`postroom user`: who may use the panel."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from getpass import getpass
from typing import Annotated, Any

import typer

from common.audit import record
from common.postgres import Database
from common.users import Role, Sessions, Setup, User, Users
from common.users.passwords import check
from common.users.people import ROLES
from postroom.connections import connected
from postroom.output import Json, Refused, ago, print_json, print_table, run, told
from postroom.person import person

app = typer.Typer(
    no_args_is_help=True, help="Users of the panel: create, list, password, role, disable, enable, setup."
)

Login = Annotated[str, typer.Argument(help="What they sign in with.")]
RoleName = Annotated[str, typer.Option(help="viewer, editor or admin; each includes the ones before it.")]


@app.command()
def create(
    login: Login,
    role: RoleName = "viewer",
    name: Annotated[str, typer.Option(help="What they are called; the login, where it is left out.")] = "",
    as_json: Json = False,
) -> None:
    """Add a user. The password is asked for, or is the first line of stdin."""
    wanted = _role(role)
    with told():
        password = _password(login)

    async def work() -> User:
        async with _people() as (database, users):
            made = await users.create(login, password, name=name, role=wanted, by=person())
            await _note(database, "create_user", made, "", role=made.role, name=made.name)
            return made

    _say(run(lambda: work()), as_json, "may sign in")


@app.command("list")
def list_users(as_json: Json = False) -> None:
    """List the users."""

    async def find() -> list[User]:
        async with _people() as (_, users):
            return await users.all()

    found = run(find)
    if as_json:
        print_json([_plain(user) for user in found])
        return
    print_table(
        ("Login", "Role", "State", "Last seen", "Created by", "Name"),
        (
            (u.login, u.role, "disabled" if u.disabled_at else "enabled", ago(u.seen_at), u.created_by, u.name)
            for u in found
        ),
    )


@app.command()
def password(login: Login, as_json: Json = False) -> None:
    """Give a user another password, and sign them out everywhere. It is asked for, or is the first line of stdin."""
    with told():
        given = _password(login)

    async def work() -> User:
        async with _people() as (database, users):
            changed = await users.set_password(login, given)
            await Sessions(database).forgive(changed.login)
            await _note(database, "set_password", changed, "/password")
            return changed

    _say(run(work), as_json, "has another password and is signed out everywhere")


@app.command()
def role(
    login: Login, role: Annotated[str, typer.Argument(help="viewer, editor or admin.")], as_json: Json = False
) -> None:
    """Let a user do more or less. The last administrator stays one."""
    wanted = _role(role)

    async def work() -> User:
        async with _people() as (database, users):
            changed = await users.change(login, role=wanted)
            await _note(database, "change_user", changed, "", role=changed.role)
            return changed

    _say(run(work), as_json, f"is {wanted}")


@app.command()
def disable(login: Login, as_json: Json = False) -> None:
    """Let a user sign in no more, and sign them out everywhere."""

    async def work() -> User:
        async with _people() as (database, users):
            changed = await users.disable(login)
            await _note(database, "disable_user", changed, "/disable")
            return changed

    _say(run(work), as_json, "may sign in no more")


@app.command()
def enable(login: Login, as_json: Json = False) -> None:
    """Let a user sign in again."""

    async def work() -> User:
        async with _people() as (database, users):
            changed = await users.enable(login)
            await _note(database, "enable_user", changed, "/enable")
            return changed

    _say(run(work), as_json, "may sign in")


@app.command()
def setup(as_json: Json = False) -> None:
    """Print a code for /set-up in the panel, where the first administrator is made. It is of use once."""

    async def work() -> str:
        async with connected() as system:
            code = await Setup(system.database).code(person())
            if code is None:
                raise Refused("there are users already: `postroom user create` makes another one")
            return code

    code = run(work)
    if as_json:
        print_json({"code": code, "path": f"/set-up?code={code}"})
        return
    typer.echo(f"/set-up?code={code}")
    typer.echo("Open this at the address of the panel. Whoever does becomes the administrator.", err=True)


@asynccontextmanager
async def _people() -> AsyncIterator[tuple[Database, Users]]:
    async with connected() as system:
        yield system.database, Users(system.database)


async def _note(database: Database, action: str, user: User, below: str, **after: Any) -> None:
    await record(database, person(), action, f"/api/v1/users/{user.login}{below}", after={"login": user.login, **after})


def _password(login: str) -> str:
    """Ask twice on a terminal; else read a line. Raises Refused and PasswordRefused."""
    if not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        check(given, login=login)
        return given
    try:
        given = getpass("Password: ", stream=sys.stderr)
        check(given, login=login)
        if getpass("The same again: ", stream=sys.stderr) != given:
            raise Refused("these are two passwords; start again")
    except (EOFError, KeyboardInterrupt):
        raise typer.Abort from None
    return given


def _role(given: str) -> Role:
    for role in ROLES:
        if role == given:
            return role
    raise typer.BadParameter(f"{given} is none of {', '.join(ROLES)}", param_hint="role")


def _say(user: User, as_json: bool, what: str) -> None:
    if as_json:
        print_json(_plain(user))
        return
    typer.echo(f"{user.login} {what}")


def _plain(user: User) -> dict[str, Any]:
    return {
        "id": user.id,
        "login": user.login,
        "name": user.name,
        "role": user.role,
        "created_by": user.created_by,
        "created_at": user.created_at,
        "disabled_at": user.disabled_at,
        "seen_at": user.seen_at,
    }
