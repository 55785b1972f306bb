"""Errors as the Graph API words them: `{"error": {message, type, code, error_subcode, …, fbtrace_id}}`.

Codes: https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes and
https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

import json
import math
from collections.abc import Mapping
from secrets import token_urlsafe

from starlette.responses import JSONResponse

from sandbox.calls import Refusal

# The codes that say "too many calls", https://developers.facebook.com/docs/graph-api/overview/rate-limiting#error-codes
TOO_MANY = {
    4: "(#4) Application request limit reached",
    17: "(#17) User request limit reached",
    32: "(#32) Page request limit reached",
    613: "(#613) Calls to this api have exceeded the rate limit.",
    80002: "(#80002) There have been too many calls to this Instagram account.",
}


class GraphError(Refusal):
    """The Graph API answers this error; `said` is what a person may be shown."""

    def __init__(
        self,
        status: int,
        code: int,
        message: str,
        *,
        subcode: int | None = None,
        kind: str = "OAuthException",
        title: str = "",
        said: str = "",
        transient: bool = False,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.subcode = status, code, message, subcode
        self.kind, self.title, self.said, self.transient = kind, title, said, transient
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return the HTTP answer that carries this error."""
        error: dict[str, object] = {"message": self.message, "type": self.kind, "code": self.code}
        if self.subcode is not None:
            error["error_subcode"] = self.subcode
        if self.said:
            error |= {"is_transient": self.transient, "error_user_title": self.title, "error_user_msg": self.said}
        elif self.transient:
            error["is_transient"] = True
        error["fbtrace_id"] = "A" + token_urlsafe(16)
        return JSONResponse({"error": error}, status_code=self.status, headers=self.headers)


def refused(code: int, subcode: int, title: str, said: str, *, transient: bool = False) -> GraphError:
    """Return the 400 of Instagram's own table of errors, by its code and subcode."""
    message = "Media upload failed" if code < 0 else title
    return GraphError(400, code, message, subcode=subcode, title=title, said=said, transient=transient)


def bad_parameter(message: str) -> GraphError:
    """Return the 400 for a parameter that is missing or that nobody understands."""
    return GraphError(400, 100, f"(#100) {message}")


def missing(node: str, method: str) -> GraphError:
    """Return the 400 for an object that is not there, or that the token may not see."""
    message = (
        f"Unsupported {method.lower()} request. Object with ID '{node}' does not exist, cannot be loaded due to "
        "missing permissions, or does not support this operation."
    )
    return GraphError(400, 100, message, subcode=33, kind="GraphMethodException")


def no_token() -> GraphError:
    """Return the 400 for a call without a token."""
    return GraphError(400, 104, "An access token is required to request this resource.")


def unknown_token() -> GraphError:
    """Return the 400 for a token that is none."""
    return _bad_token("Invalid OAuth access token - Cannot parse access token", None)


def expired_token(message: str = "") -> GraphError:
    """Return the 400 for a token whose time is over; subcode 463 says "expired"."""
    return _bad_token(message or "Error validating access token: Session has expired.", 463)


def rate_limited(seconds: float, message: str) -> GraphError:
    """Return the error of code 4, or of the code of `TOO_MANY` that `message` names.

    `seconds` is announced as the header `x-business-use-case-usage` does it, in minutes rounded up.
    """
    code = int(message) if message.isdecimal() and int(message) in TOO_MANY else 4
    usage = {"call_count": 100, "total_cputime": 25, "total_time": 25, "type": "instagram"}
    usage["estimated_time_to_regain_access"] = math.ceil(seconds / 60)
    headers = {"x-business-use-case-usage": json.dumps({"17841400000000000": [usage]})}
    said = TOO_MANY[code] if message.isdecimal() or not message else message
    return GraphError(403 if code == 4 else 400, code, said, transient=True, headers=headers)


def failed(seconds: float, message: str) -> GraphError:
    """Return a 500 of code 2, or a 503 where `seconds` says how long it may last."""
    text = message or "An unexpected error has occurred. Please retry your request later."
    return GraphError(503 if seconds else 500, 2, text, transient=True)


def _bad_token(message: str, subcode: int | None) -> GraphError:
    headers = {"www-authenticate": f'OAuth "Facebook Platform" "invalid_token" "{message}"'}
    return GraphError(400, 190, message, subcode=subcode, headers=headers)
