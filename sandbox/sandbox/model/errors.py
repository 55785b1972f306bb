"""Errors as OpenAI words them: `{"error": {message, type, param, code}}` under an HTTP status."""

from collections.abc import Mapping

from starlette.responses import JSONResponse


class Refused(Exception):
    """The endpoint answers this error in place of a completion."""

    def __init__(
        self,
        status: int,
        message: str,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.kind = kind
        self.param = param
        self.code = code
        self.headers = dict(headers or {})

    def response(self) -> JSONResponse:
        """Return the HTTP answer that carries this error."""
        error = {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}
        return JSONResponse({"error": error}, status_code=self.status, headers=self.headers)


def bad_request(message: str, param: str | None, code: str | None = None) -> Refused:
    """Return the 400 for a request that OpenAI would not accept; `param` names the field."""
    return Refused(400, message, param=param, code=code)


def context_exceeded(limit: int, given: int, param: str, message: str = "") -> Refused:
    """Return the 400 for a prompt of `given` tokens where the model's context holds `limit`."""
    text = message or (
        f"This model's maximum context length is {limit} tokens. However, your messages resulted in {given} tokens. "
        "Please reduce the length of the messages."
    )
    return bad_request(text, param, "context_length_exceeded")


def rate_limited(seconds: float, message: str = "") -> Refused:
    """Return the 429 that asks to come back after `seconds`."""
    text = message or f"Rate limit reached for requests. Please try again in {seconds:g}s."
    headers = {
        "retry-after": str(max(1, round(seconds))) if seconds else "0",
        "retry-after-ms": str(round(seconds * 1000)),
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{seconds:g}s",
    }
    return Refused(429, text, kind="requests", code="rate_limit_exceeded", headers=headers)


def failed(seconds: float, message: str = "") -> Refused:
    """Return a 500, or where `seconds` says when the server will be back, a 503 with Retry-After."""
    if seconds:
        text = message or "The engine is currently overloaded, please try again later."
        return Refused(503, text, kind="server_error", headers={"retry-after": str(max(1, round(seconds)))})
    text = message or "The server had an error while processing your request. Sorry about that!"
    return Refused(500, text, kind="server_error")


def unauthorised(given: str | None) -> Refused:
    """Return the 401 for a missing or a wrong key; a wrong one is named by its last four characters only."""
    if given is None:
        text = "You didn't provide an API key. Provide it in an Authorization header: 'Authorization: Bearer YOUR_KEY'."
        return Refused(401, text)
    return Refused(401, f"Incorrect API key provided: ****{given[-4:]}.", code="invalid_api_key")
