"""Dead letters: what could not be worked on, kept until a person decides."""

import json
from collections.abc import Awaitable, Callable
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query
from pydantic import Field, JsonValue

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import INT8, Answer, Given, Moment, Utc
from common.messaging.dead_letters import statements
from common.messaging.letters import DeadLetter, LetterFilter
from common.messaging.replay import DeadLetters
from common.operations import Outcome

router = resource("dead-letters")

Word = Annotated[str | None, Query(min_length=1, max_length=300)]
Number = Annotated[int, Path(ge=1, le=INT8)]


class Letter(Answer):
    """A dead letter in a list."""

    number: int = Field(description="how people name it")
    died_at: Utc
    consumer: str
    queue: str
    event_id: str
    stream: str
    sequence: int = Field(description="of the message in its stream")
    subject: str
    post_id: UUID | None
    attempts: int
    error_class: str
    error: str
    fingerprint: str = Field(description="what the occurrences of one error have in common")
    edited_at: Utc | None
    edited_by: str | None


class OpenLetter(Letter):
    """A dead letter with what it holds."""

    payload: JsonValue = Field(description="text where it is not JSON; null where the letter is not kept any more")
    headers: dict[str, str]


class LetterGroup(Answer):
    """The letters of one error; `error` is that of the newest, whose number is `example`."""

    fingerprint: str
    count: int
    consumer: str
    queue: str
    error_class: str
    error: str
    first_at: Utc
    last_at: Utc
    example: int


class LetterChange(Given):
    """Another payload, valid for the event of the letter."""

    payload: dict[str, JsonValue]


def _wanted(
    consumer: Word = None,
    queue: Word = None,
    fingerprint: Word = None,
    error_class: Word = None,
    error: Annotated[str | None, Query(min_length=1, max_length=300, description="a part of its text")] = None,
    post_id: UUID | None = None,
    died_from: Moment | None = None,
    died_until: Moment | None = None,
) -> LetterFilter:
    return LetterFilter(
        consumer=consumer,
        queue=queue,
        fingerprint=fingerprint,
        error_class=error_class,
        error=error,
        post_id=post_id,
        died_from=died_from,
        died_until=died_until,
    )


Wanted = Annotated[LetterFilter, Depends(_wanted)]


@router.get("")
async def list_dead_letters(page: Paged, wanted: Wanted) -> Page[Letter]:
    """List dead letters."""
    return await page.of(Letter, statements()["list"], *wanted.columns())


@router.get("/groups")
async def list_dead_letter_groups(page: Paged, wanted: Wanted) -> Page[LetterGroup]:
    """List dead letters grouped by what they have in common."""
    return await page.of(LetterGroup, statements()["groups"], *wanted.columns())


@router.get("/{number}")
async def get_dead_letter(number: Number, call: Calling) -> OpenLetter:
    """Read a dead letter."""
    return call.tagged(await _read(call.dead_letters, number))


@router.patch("/{number}")
async def edit_dead_letter(number: Number, change: LetterChange, call: Calling) -> OpenLetter:
    """Give a dead letter another payload."""
    letters = call.dead_letters
    call.changing(await _read(letters, number))
    payload = json.dumps(change.payload, ensure_ascii=False).encode()
    await letters.edit(await letters.get(number), payload, by=call.actor)
    return call.tagged(await _read(letters, number))


@router.post("/{number}/replay")
async def replay_dead_letter(number: Number, call: Calling) -> OpenLetter:
    """Send a dead letter back to the consumer that failed; the others drop it."""
    letters = call.dead_letters
    return await _decide(call, letters, number, letters.replay)


@router.post("/{number}/discard")
async def discard_dead_letter(number: Number, call: Calling) -> OpenLetter:
    """Delete a dead letter for good. Its job ends as cancelled."""
    letters = call.dead_letters
    return await _decide(call, letters, number, letters.discard)


async def _decide(
    call: Call,
    letters: DeadLetters,
    number: int,
    work: Callable[[list[DeadLetter]], Awaitable[list[Outcome]]],
) -> OpenLetter:
    """Do it, and return the letter as it was."""
    answer = await _read(letters, number)
    call.changing(answer)
    [refusal] = await work([await letters.get(number)])
    if refusal:
        raise Problem("conflict", refusal)
    return answer


async def _read(letters: DeadLetters, number: int) -> OpenLetter:
    letter = await letters.get(number)
    contents = await letters.open(letter)
    return OpenLetter(
        **letter.to_json(),
        payload=contents.shown if contents else None,
        headers=dict(contents.headers) if contents else {},
    )
