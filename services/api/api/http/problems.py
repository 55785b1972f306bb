"""Errors as problem documents, https://www.rfc-editor.org/rfc/rfc9457: nothing else is ever answered to an error."""

import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote

import asyncpg
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from common.alerts import NoSuchAlert
from common.broadcasts import BroadcastEnded, NoSuchBroadcast
from common.editing import AlreadyThere, InUse, NotThere
from common.jobs import JobRefused, NoSuchJob
from common.media.keeping import Attached, NotGenerated
from common.media.store import ImageMissing, StoreUnavailable
from common.messaging.replay import LetterChanged, LetterNotKept, NoSuchLetter, WrongPayload
from common.operations import NoSuchOperation, OperationEnded, UnknownKind, WrongFilter
from common.planning.contents import ContentInUse, NoSuchContent
from common.planning.refusals import NoSuchScheduledPost, NotPlannable, PlannedAlready, TooLate
from common.planning.rules import NoSuchRule, RuleExists
from common.planning.schedules import KINDS as SCHEDULES
from common.postgres import UNREACHABLE
from common.queues.settings import NoSuchQueue, WrongSetting
from common.spending.budgets import NoSuchBudget
from common.telegram.addresses import NoAddress
from common.tokens import NoSuchToken, TokenExists
from common.trials import NoSuchTrial
from common.users import LastAdministrator, LoginTaken, NoSuchUser

log = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"
KINDS: Mapping[str, tuple[int, str]] = {
    "malformed": (400, "The request can't be read"),
    "unauthorized": (401, "A valid token is needed"),
    "forbidden": (403, "The token's scope does not allow this"),
    "not-found": (404, "There is nothing here"),
    "method-not-allowed": (405, "This can't be done here"),
    "conflict": (409, "The state of things does not allow this"),
    "in-progress": (409, "A request with this Idempotency-Key is under way"),
    "precondition-failed": (412, "It was changed meanwhile"),
    "too-large": (413, "The request is too large"),
    "invalid": (422, "The request is not valid"),
    "key-reused": (422, "This Idempotency-Key belongs to another request"),
    "too-many-requests": (429, "Too many requests"),
    "internal": (500, "Something is wrong on our side"),
    "unavailable": (503, "A part of the system can't be reached"),
}
TRANSLATED: Mapping[type[Exception], str] = {
    AlreadyThere: "conflict",
    InUse: "conflict",
    NotThere: "invalid",
    NoSuchBudget: "not-found",
    NoSuchTrial: "not-found",
    NoSuchContent: "not-found",
    ContentInUse: "conflict",
    NoSuchRule: "not-found",
    RuleExists: "conflict",
    NoSuchBroadcast: "not-found",
    NoSuchAlert: "not-found",
    BroadcastEnded: "conflict",
    NoAddress: "invalid",
    NoSuchQueue: "not-found",
    WrongSetting: "invalid",
    Attached: "conflict",
    NotGenerated: "conflict",
    ImageMissing: "not-found",
    StoreUnavailable: "unavailable",
    NotPlannable: "invalid",
    PlannedAlready: "conflict",
    TooLate: "conflict",
    NoSuchScheduledPost: "not-found",
    NoSuchJob: "not-found",
    JobRefused: "conflict",
    NoSuchLetter: "not-found",
    LetterNotKept: "conflict",
    LetterChanged: "conflict",
    WrongPayload: "invalid",
    NoSuchOperation: "not-found",
    OperationEnded: "conflict",
    UnknownKind: "invalid",
    WrongFilter: "invalid",
    NoSuchToken: "not-found",
    TokenExists: "conflict",
    NoSuchUser: "not-found",
    LoginTaken: "conflict",
    LastAdministrator: "conflict",
}
RETRY_SECONDS = "5"
MOST_ERRORS = 50  # in one answer: a body of nothing but mistakes is not answered with a longer one
OF_STATUS = {400: "malformed", 404: "not-found", 405: "method-not-allowed"}  # what the framework itself raises


class Problem(Exception):
    """What is wrong with a request. `errors` say where: a JSON pointer into the body, or the name of a parameter."""

    def __init__(
        self,
        kind: str,
        detail: str,
        *,
        errors: Sequence[Mapping[str, str]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.status, self.title = KINDS[kind]
        self.errors = errors
        self.headers = dict(headers or {})

    def response(self, path: str, request_id: str) -> Response:
        """Return the document."""
        document: dict[str, Any] = {
            "type": f"/problems/{self.kind}",
            "title": self.title,
            "status": self.status,
            "detail": str(self),
            "instance": quote(path, safe="/:@!$&'()*+,;=~"),
            "request_id": request_id,
        }
        if self.errors:
            document["errors"] = [dict(error) for error in self.errors]
        if self.status == 503:
            self.headers.setdefault("Retry-After", RETRY_SECONDS)
        return Response(json.dumps(document), self.status, self.headers, MEDIA_TYPE)


async def answer(request: Request, error: Exception) -> Response:
    """Answer an expected error."""
    problem = problem_of(error)
    if isinstance(error, NotPlannable) and error.field and request.method == "POST":
        problem.errors = [{"in": "body", "pointer": f"/{error.field}", "detail": str(error)}]
    if problem.status >= 500:
        log.warning("%s: %r", request.scope["path"], error)
    return problem.response(request.scope["path"], request.state.request_id)


def problem_of(error: Exception) -> Problem:
    """Return an expected error as a problem."""
    match error:
        case Problem():
            return error
        case RequestValidationError():
            return _validation(error)
        case HTTPException():
            kind = OF_STATUS.get(error.status_code, "malformed")
            return Problem(kind, error.detail, headers=error.headers)
        case asyncpg.DataError():  # the last net: what the models let through and no column holds
            return Problem("invalid", "a value is out of range")
        case _:
            for expected, kind in TRANSLATED.items():
                if isinstance(error, expected):
                    return Problem(kind, str(error))
            return Problem("unavailable", "a server of ours gives no answer; try again")


EXPECTED: tuple[type[Exception], ...] = (
    Problem,
    RequestValidationError,
    HTTPException,
    asyncpg.DataError,
    *TRANSLATED,
    *UNREACHABLE,
)


def _validation(error: RequestValidationError) -> Problem:
    problems = error.errors()
    if any(each["type"] == "json_invalid" for each in problems):
        return Problem("malformed", "the body is not valid JSON")
    shown = problems[:MOST_ERRORS]
    errors = [_where(each["loc"]) | {"detail": each["msg"].removeprefix("Value error, ")} for each in shown]
    counted = f"{len(problems)} problem{'s' * (len(problems) != 1)}, see errors"
    return Problem(
        "invalid", counted + (f" for the first {MOST_ERRORS}" * (len(problems) > MOST_ERRORS)), errors=errors
    )


def _where(loc: Sequence[int | str]) -> dict[str, str]:
    place, *path = map(str, loc)
    if place != "body":
        return {"in": place, "parameter": ".".join(path)}
    if path and path[0] in SCHEDULES:  # which of several bodies was meant
        del path[0]
    # https://www.rfc-editor.org/rfc/rfc6901, as in the example of RFC 9457
    return {"in": "body", "pointer": "".join(f"/{part.replace('~', '~0').replace('/', '~1')}" for part in path)}
