"""Errors of the sandbox's own JSON API as problem documents: https://www.rfc-editor.org/rfc/rfc9457."""

from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

Body = TypeVar("Body", bound=BaseModel)


class Problem(Exception):
    """A request that cannot be served. `errors` names the fields at fault, each with its message."""

    def __init__(self, status: int, detail: str, errors: list[dict[str, str]] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.errors = errors or []

    def response(self, instance: str) -> JSONResponse:
        """Return the problem document; `instance` is the path that was asked for."""
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
        }
        if self.errors:
            body["errors"] = self.errors
        return JSONResponse(body, status_code=self.status, media_type="application/problem+json")


async def answer_problem(request: Request, error: Exception) -> Response:
    """Turn a `Problem`, or an error of the router such as 404 and 405, into its document."""
    if isinstance(error, HTTPException):
        response = Problem(error.status_code, error.detail).response(request.url.path)
        response.headers.update(error.headers or {})
        return response
    if isinstance(error, Problem):
        return error.response(request.url.path)
    raise error


async def read_body(request: Request, shape: type[Body]) -> Body:
    """Read the JSON body as `shape`, or raise the 422 that names each field at fault by its JSON pointer."""
    try:
        return shape.model_validate_json(await request.body())
    except ValidationError as error:
        errors = [
            {"pointer": "#/" + "/".join(map(str, each["loc"])), "field": ".".join(map(str, each["loc"]))}
            | {"detail": each["msg"]}
            for each in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        named = "; ".join(f"{each['field'] or 'body'}: {each['detail']}" for each in errors)
        raise Problem(422, named, errors) from None


def whole_number(request: Request, name: str, default: int, lowest: int, highest: int) -> int:
    """Return a whole number of the query string, or raise the 422 that names it."""
    given = request.query_params.get(name)
    if given is None:
        return default
    try:
        value = int(given)
    except ValueError:
        value = lowest - 1
    if not lowest <= value <= highest:
        detail = f"must be a whole number from {lowest} to {highest}"
        raise Problem(422, f"{name}: {detail}", [{"parameter": name, "field": name, "detail": detail}])
    return value
