"""What holds for any request to the model endpoint: its key, its body, and what may befall it."""

import asyncio
import json
from hmac import compare_digest
from typing import Any

from starlette.requests import Request

from sandbox.connections import cut, gone
from sandbox.faults import Fault
from sandbox.model.errors import bad_request, failed, rate_limited, unauthorised

ANY_REQUEST = ("rate_limit", "server_error", "delay", "hang", "drop")


def authorise(request: Request, key: str) -> None:
    """Raise the 401 for a request without the key."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not given:
        raise unauthorised(None)
    if not compare_digest(given.encode(), key.encode()):
        raise unauthorised(given)


def parsed(raw: bytes) -> dict[str, Any]:
    """Return the body, or raise the 400 for what is no JSON object."""
    try:
        body = json.loads(raw)
    except ValueError:
        text = "We could not parse the JSON body of your request. The API expects a JSON payload."
        raise bad_request(text, None) from None
    if not isinstance(body, dict):
        raise bad_request("Invalid type for the body: expected an object.", None)
    return body


async def befall(fault: Fault, request: Request) -> None:
    """Let one of the faults of `ANY_REQUEST` happen: raise its error, wait, or end the connection."""
    match fault.kind:
        case "rate_limit":
            raise rate_limited(fault.seconds, fault.message)
        case "server_error":
            raise failed(fault.seconds, fault.message)
        case "delay":
            await asyncio.sleep(fault.seconds)
        case "hang":
            await gone(request)
        case "drop":
            await cut(request)
