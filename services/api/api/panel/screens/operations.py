"""One thing done to many: counted before it begins, followed while it runs."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.operating import around, local_moment
from api.panel.routes import screen
from api.resources.dead_letters import LetterGroup, list_dead_letter_groups
from api.resources.operations import (
    BulkOperation,
    Matching,
    NewOperation,
    cancel_operation,
    get_operation,
    list_operations,
    start_operation,
)
from common.messaging.letters import LetterFilter

router = screen()

TIMES = ("died_from", "died_until", "created_from", "created_until")
MANY = {"dead_letters": "numbers", "jobs": "keys"}
LISTS = {"dead_letters": "/dead", "jobs": "/jobs", "images": "/images"}
FOR_GOOD = ("dead_letters.discard", "jobs.cancel", "images.delete")
NOT_FILTERS = ("kind", "reason", "chosen", "all", "cursor", "view", "counted")


@router.get("/operations")
async def show_operations(desk: Asking, cursor: str = "") -> Response:
    """Show what was done to many, the newest first."""
    page = await desk.read(list_operations, cursor=cursor, limit=25)
    return desk.page("operations.html", "operations", page=page, path="/queues", **await around(desk))


@router.get("/operations/new")
async def count(desk: Asking) -> Response:
    """Say to how many it would be done, and ask whether it is to be."""
    desk.need("write")
    asked = desk.request.query_params
    kind = asked.get("kind", "")
    chosen, whole = asked.getlist("chosen"), "all" in asked
    if not chosen and not whole:
        raise Problem("invalid", desk.gettext("nothing is chosen"))
    given = {MANY[kind.partition(".")[0]]: chosen} if not whole and _many(kind) else {}
    given |= _filter(desk, dict(asked), alone=bool(given))
    return await _asked(desk, kind, given)


@router.post("/operations")
async def start(desk: Asking) -> Response:
    """Do it, and show how it goes on. What can't be undone is asked again where it would befall more than was said."""
    form = dict(await desk.form())
    kind = form.get("kind", "")
    many = MANY.get(kind.partition(".")[0], "")
    given: dict[str, Any] = {name: value for name, value in form.items() if name not in ("kind", "reason", many)}
    if chosen := await desk.chosen(many) if many else []:
        given[many] = chosen
    said = given.pop("counted", "")
    counted = int(said) if said.isdecimal() else 0
    if kind in FOR_GOOD and await _matching(desk, kind, given) > counted:
        return await _asked(desk, kind, given, counted=counted)
    started = await desk.act(
        start_operation, given=desk.given(NewOperation, kind=kind, filter=given, reason=form.get("reason", ""))
    )
    return desk.redirect(f"/operations/{started.id}")


@router.get("/operations/{operation_id}")
async def show_operation(desk: Asking, operation_id: UUID) -> Response:
    """Show how far one is."""
    return _operation(desk, await desk.read(get_operation, operation_id=operation_id))


@router.post("/operations/{operation_id}/cancel")
async def cancel(desk: Asking, operation_id: UUID) -> Response:
    """Let one stop."""
    stopped = await desk.act(cancel_operation, operation_id=operation_id)
    return _operation(desk, stopped) if desk.by_htmx else desk.redirect(f"/operations/{operation_id}")


async def _asked(desk: Desk, kind: str, given: dict[str, Any], *, counted: int | None = None) -> Response:
    """Ask whether it is to be done; `counted`: to how many it was to be done, where there are more by now."""
    fields = [(name, each) for name, value in given.items() for each in (value if isinstance(value, list) else [value])]
    return desk.page(
        "operation_new.html",
        "asked",
        status=200 if counted is None else 409,
        kind=kind,
        filter=given,
        fields=fields,
        matching=await _matching(desk, kind, given),
        counted=counted,
        for_good=kind in FOR_GOOD,
        example=await _example(desk, given.get("fingerprint")),
        back=back_to(kind),
        path="/dead" if back_to(kind) == "/dead" else "/queues",
    )


async def _matching(desk: Desk, kind: str, given: dict[str, Any]) -> int:
    answer = await desk.read(start_operation, given=desk.given(NewOperation, kind=kind, filter=given, dry_run=True))
    return Matching.model_validate_json(bytes(answer.body)).matching  # type: ignore[attr-defined] # a dry run's answer


async def _example(desk: Desk, fingerprint: str | None) -> LetterGroup | None:
    """Return the error that a fingerprint stands for."""
    if not fingerprint:
        return None
    page = await desk.read(list_dead_letter_groups, wanted=LetterFilter(fingerprint=fingerprint), limit=1)
    return page.items[0] if page.items else None


def back_to(kind: str) -> str:
    """Return the address of the list that an operation was about."""
    return LISTS.get(kind.partition(".")[0], "/queues")


def _operation(desk: Desk, operation: BulkOperation) -> Response:
    back = back_to(operation.kind)
    return desk.page(
        "operation.html",
        "operation",
        operation=operation,
        back=back,
        path=back if back == "/dead" else "/queues",
    )


def _many(kind: str) -> bool:
    return kind.partition(".")[0] in MANY


def _filter(desk: Desk, asked: dict[str, str], *, alone: bool) -> dict[str, Any]:
    """Return the filter of a list as that of an operation. Of what is chosen by hand only the state is looked at."""
    found: dict[str, Any] = {}
    for name, value in asked.items():
        if name in NOT_FILTERS or not value.strip() or (alone and name != "status"):
            continue
        if name in TIMES:
            moment = local_moment(desk, value)
            found[name] = moment.isoformat() if moment else value
        else:
            found[name] = value.strip()
    return found
