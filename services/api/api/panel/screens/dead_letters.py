"""Dead letters: the errors behind them, each letter with what it holds, and what becomes of them."""

import json
from typing import Any

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.operating import Look, under_way
from api.panel.routes import screen
from api.resources.dead_letters import (
    LetterChange,
    OpenLetter,
    discard_dead_letter,
    edit_dead_letter,
    get_dead_letter,
    list_dead_letter_groups,
    list_dead_letters,
    replay_dead_letter,
)
from api.resources.operations import Matching, NewOperation, start_operation
from common.contracts import topology
from common.messaging.letters import LetterFilter

router = screen()

FILTERS = ("queue", "consumer", "error_class", "error", "fingerprint", "post_id")
NAMES = (*FILTERS, "died_from", "died_until", "view", "cursor")


@router.get("/dead")
async def show_letters(desk: Asking) -> Response:
    """Show the errors behind the letters, or the letters."""
    look = Look.of(desk, "/dead", NAMES)
    return look.answered(await _letters(desk, look))


@router.get("/dead/{number}")
async def show_letter(desk: Asking, number: int) -> Response:
    """Show one letter with what it holds."""
    return await _letter(desk, await desk.read(get_dead_letter, number=number))


@router.post("/dead/{number}/edit")
async def edit(desk: Asking, number: int) -> Response:
    """Give one another payload; with `then`, replay it."""
    form = await desk.form()
    text = form.get("payload", "")
    try:
        payload = _read(desk, text)
        edited = await desk.act(
            edit_dead_letter, if_match=form.get("etag"), number=number, change=desk.given(LetterChange, payload=payload)
        )
    except Problem as problem:
        if problem.kind not in ("invalid", "precondition-failed"):
            raise
        letter = await desk.read(get_dead_letter, number=number)
        return await _letter(desk, letter, text=text, problem=problem, status=problem.status)
    if form.get("then") == "replay":
        return await replay(desk, number)
    if not desk.by_htmx:
        return desk.redirect(f"/dead/{number}")
    desk.toast(desk.gettext("Saved: replayed, it says this"))
    return await _letter(desk, edited)


@router.post("/dead/{number}/replay")
async def replay(desk: Asking, number: int) -> Response:
    """Send one back to its consumer."""
    letter = await desk.act(replay_dead_letter, number=number)
    said = desk.gettext("Letter %(number)s goes to %(consumer)s again", number=number, consumer=letter.consumer)
    return await _next(desk, letter, said)


@router.post("/dead/{number}/discard")
async def discard(desk: Asking, number: int) -> Response:
    """Delete one for good."""
    letter = await desk.act(discard_dead_letter, number=number)
    return await _next(desk, letter, desk.gettext("Letter %(number)s is discarded", number=number))


async def _letters(desk: Desk, look: Look) -> Response:
    wanted = desk.given(
        LetterFilter,
        **{name: look[name] or None for name in FILTERS},
        died_from=look.moment(desk, "died_from"),
        died_until=look.moment(desk, "died_until"),
    )
    by_group = not look["fingerprint"] and look["view"] != "letters"
    values: dict[str, Any] = {"groups": None, "letters": None, "group": None}
    if by_group:
        values["groups"] = await desk.read(list_dead_letter_groups, wanted=wanted, cursor=look["cursor"])
    else:
        values["letters"] = await desk.read(list_dead_letters, wanted=wanted, cursor=look["cursor"])
    if look["fingerprint"]:
        alone = LetterFilter(fingerprint=look["fingerprint"])
        found = (await desk.read(list_dead_letter_groups, wanted=alone, limit=1)).items
        values["group"] = found[0] if found else None
    durables = topology().durables()
    return desk.page(
        "dead.html",
        "letters",
        look=look,
        matching=await _matching(desk, wanted) if desk.may("write") else None,
        under_way=await under_way(desk),
        queues=topology().queue_names(),
        consumers=sorted({durable.name for durable in durables}),
        path="/dead",
        here=look.here,
        **values,
    )


async def _matching(desk: Desk, wanted: LetterFilter) -> int:
    """Return to how many letters a decision about all of them would come."""
    counted = NewOperation(
        kind="dead_letters.replay", filter=wanted.model_dump(mode="json", exclude_none=True), dry_run=True
    )
    answer = await desk.read(start_operation, given=counted)
    return Matching.model_validate_json(bytes(answer.body)).matching  # type: ignore[attr-defined] # a dry run's answer


async def _letter(
    desk: Desk, letter: OpenLetter, *, text: str | None = None, problem: Problem | None = None, status: int = 200
) -> Response:
    alike = await desk.read(list_dead_letters, wanted=LetterFilter(fingerprint=letter.fingerprint), limit=200)
    numbers = [each.number for each in alike.items]
    place = numbers.index(letter.number) if letter.number in numbers else 0
    if text is None:
        is_text = isinstance(letter.payload, str)
        text = str(letter.payload) if is_text else json.dumps(letter.payload, ensure_ascii=False, indent=2)
    return desk.page(
        "letter.html",
        "letter",
        status=status,
        letter=letter,
        text=text,
        problem=problem,
        etag=desk.etag(letter),
        newer=numbers[place - 1] if place else None,
        older=numbers[place + 1] if place + 1 < len(numbers) else None,
        alike=len(numbers),
        path="/dead",
    )


async def _next(desk: Desk, letter: OpenLetter, said: str) -> Response:
    """Go on with the next letter of the same error, else with what else has died."""
    alike = await desk.read(list_dead_letters, wanted=LetterFilter(fingerprint=letter.fingerprint), limit=1)
    given = {"fingerprint": letter.fingerprint} if alike.items else {}
    look = Look("/dead", given)
    if not desk.by_htmx:
        return desk.redirect(look.address())
    desk.toast(said)
    answer = await _letters(desk, look)
    answer.headers["HX-Push-Url"] = look.address()
    return answer


def _read(desk: Desk, text: str) -> object:
    try:
        return json.loads(text)
    except ValueError as error:
        detail = desk.gettext("this is no JSON: %(error)s", error=error)
        raise Problem("invalid", detail, errors=[{"in": "body", "pointer": "/payload", "detail": detail}]) from None
