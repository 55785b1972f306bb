"""Bulk operations: one thing done to all jobs, dead letters or images that match a filter."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import Query
from fastapi.responses import JSONResponse
from pydantic import Field, JsonValue, StringConstraints

from api.http.calls import Call, Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Line, Utc
from common.operations import Operation, Operations, UnknownKind, WrongFilter, statements

router = resource("operations")

Status = Literal["pending", "running", "done", "failed", "cancelled"]
KINDS = "dead_letters.replay, dead_letters.discard, jobs.retry, jobs.cancel, images.delete"


class NewOperation(Given):
    """What is to be done, and to which."""

    kind: Annotated[str, StringConstraints(min_length=1, max_length=100)] = Field(description=f"one of {KINDS}")
    filter: dict[str, JsonValue] = Field(
        description="the filters that the list has, in one object; an empty one means all"
    )
    reason: Line = Field(default="", description="why, for the audit log")
    dry_run: bool = Field(default=False, description="only count")


class Matching(Answer):
    """What a dry run says."""

    kind: str
    matching: int


class Refusal(Answer):
    """What was left alone, and why."""

    key: str
    reason: str


class BulkOperation(Answer):
    """An operation as it stands."""

    id: UUID
    kind: str
    filter: dict[str, JsonValue]
    reason: str
    status: str
    total: int = Field(description="how many matched when it was asked for")
    done: int
    refused: int
    refusals: list[Refusal] = Field(description="the first of them")
    error: str | None
    created_by: str
    created_at: Utc
    started_at: Utc | None
    finished_at: Utc | None
    cancelled_by: str | None


@router.get("")
async def list_operations(
    page: Paged, status: Status | None = None, kind: Annotated[str | None, Query(max_length=100)] = None
) -> Page[BulkOperation]:
    """List operations."""
    return await page.of(BulkOperation, statements()["list"], status, kind)


@router.post("", status_code=202, responses={200: {"model": Matching, "description": "What a dry run counted"}})
async def start_operation(given: NewOperation, call: Calling) -> BulkOperation:
    """Do something to all that match a filter, or only count them."""
    operations = _operations(call)
    try:
        if given.dry_run:
            call.recorded = False
            matching = Matching(kind=given.kind, matching=await operations.count(given.kind, given.filter))
            return JSONResponse(matching.model_dump())  # type: ignore[return-value] # it is declared in `responses`
        operation = await operations.start(given.kind, given.filter, by=call.actor, reason=given.reason)
    except UnknownKind as error:
        raise _invalid(str(error), ("/kind", str(error))) from None
    except WrongFilter as error:
        places = [(f"/filter/{field.replace('.', '/')}".rstrip("/"), detail) for field, detail in error.errors]
        raise _invalid("the filter is not valid", *places) from None
    call.created(operation.id)
    return _answer(operation)


@router.get("/{operation_id}")
async def get_operation(operation_id: UUID, call: Calling) -> BulkOperation:
    """Read an operation."""
    return call.tagged(_answer(await _operations(call).get(operation_id)))


@router.post("/{operation_id}/cancel")
async def cancel_operation(operation_id: UUID, call: Calling) -> BulkOperation:
    """Let an operation stop after the step that is under way."""
    operations = _operations(call)
    call.changing(_answer(await operations.get(operation_id)))
    return call.tagged(_answer(await operations.cancel(operation_id, by=call.actor)))


def _operations(call: Call) -> Operations:
    return Operations(call.database, call.system.kinds)


def _answer(operation: Operation) -> BulkOperation:
    return BulkOperation.model_validate(operation, from_attributes=True)


def _invalid(detail: str, *places: tuple[str, str]) -> Problem:
    return Problem(
        "invalid", detail, errors=[{"in": "body", "pointer": pointer, "detail": said} for pointer, said in places]
    )
