"""Errors as the X API words them: problem documents, https://docs.x.com/x-api/fundamentals/response-codes-and-errors."""

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.responses import JSONResponse

from sandbox.calls import Refusal

PROBLEMS = "https://api.x.com/2/problems"
PLAIN = "about:blank"


class XProblem(Refusal):
    """The X API answers this problem. `errors` names the parameters at fault."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        kind: str = PLAIN,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail, self.kind = status, title, detail, kind
        self.errors = [dict(error) for error in errors]
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return the HTTP answer that carries this problem."""
        body: dict[str, Any] = {"title": self.title, "detail": self.detail, "type": self.kind, "status": self.status}
        if self.errors:
            body = {"errors": self.errors} | body
        return JSONResponse(body, self.status, self.headers, "application/problem+json")


def invalid(message: str, /, **parameters: object) -> XProblem:
    """Return the 400 for parameters that X does not accept, with their values."""
    named = {name.replace("__", "."): [str(value)] for name, value in parameters.items()}
    return XProblem(
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        kind=f"{PROBLEMS}/invalid-request",
        errors=[{"parameters": named, "message": message}],
    )


def unauthorised(detail: str = "") -> XProblem:
    """Return the 401 for a token that is missing, unknown or expired."""
    return XProblem(401, "Unauthorized", detail or "Unauthorized")


def forbidden(detail: str) -> XProblem:
    """Return the 403 for what this account may not do."""
    return XProblem(403, "Forbidden", detail)


def too_many(limit: int, reset: int, detail: str = "") -> XProblem:
    """Return the 429 of a window of `limit` calls that ends at `reset` (Unix seconds). X sends no Retry-After."""
    headers = {"x-rate-limit-limit": str(limit), "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(reset)}
    return XProblem(429, "Too Many Requests", detail or "Too Many Requests", headers=headers)


def failed(seconds: float, message: str = "") -> XProblem:
    """Return a 503 where `seconds` says how long it may last, else a 500."""
    if seconds:
        return XProblem(503, "Service Unavailable", message or "Service Unavailable")
    return XProblem(500, "Internal Server Error", message or "Something is broken. This is usually a temporary error.")


def not_found(resource: str, parameter: str, value: str) -> dict[str, Any]:
    """Return the error that stands in a 200 for something that is not there."""
    return {
        "value": value,
        "detail": f"Could not find {resource} with {parameter}: [{value}].",
        "title": "Not Found Error",
        "resource_type": resource,
        "parameter": parameter,
        "resource_id": value,
        "type": f"{PROBLEMS}/resource-not-found",
    }
