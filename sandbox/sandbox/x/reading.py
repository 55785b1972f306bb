"""What a call to X gives: tokens, ids, bodies, pages. What is not valid is the 400 that X answers."""

import binascii
import json
from base64 import b64decode, urlsafe_b64decode, urlsafe_b64encode
from datetime import datetime
from typing import Any
from urllib.parse import unquote

from starlette.requests import Request

from sandbox.x.archive import NO_ID
from sandbox.x.errors import invalid
from sandbox.x.fields import Asked, asked_of
from sandbox.x.multipart import parts_of
from sandbox.x.posting import number_of

FEWEST, MOST = 5, 100  # posts on a page of a timeline
SHAPE = {"post.fields", "tweet.fields", "user.fields", "media.fields", "poll.fields", "place.fields", "expansions"}


def asked_by(request: Request, also: set[str]) -> Asked:
    """Return the fields that a query asks for; raises the 400 for a parameter that is not known."""
    given = request.query_params
    if unknown := sorted(set(given) - SHAPE - also):
        known = ",".join(sorted(SHAPE | also))
        raise invalid(f"The query parameter [{unknown[0]}] is not one of [{known}]", **{unknown[0]: given[unknown[0]]})
    return asked_of(given)


def path_id(request: Request) -> int:
    """Return the id in the path; raises the 400."""
    return number_of(request.path_params["id"], "id")


def bearer(request: Request) -> str:
    """Return the token that a call bears, or nothing."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def basic_client(request: Request) -> str:
    """Return the client's id of a confidential client, or nothing."""
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    try:
        return unquote(b64decode(given).decode().partition(":")[0]) if scheme.lower() == "basic" else ""
    except ValueError:
        return ""


def json_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object of a body; raises the 400."""
    try:
        parsed = json.loads(body)
        json.dumps(parsed, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError):
        parsed = None
    if not isinstance(parsed, dict):
        raise invalid("Request body must be a JSON object.")
    return parsed


def form_fields(request: Request, body: bytes) -> dict[str, Any]:
    """Return the fields of a form with files, or of a JSON object in which files are in base 64."""
    content_type = request.headers.get("content-type", "")
    if not content_type.lower().startswith("multipart/form-data"):
        return json_object(body)
    try:
        return dict(parts_of(body, content_type))
    except ValueError as error:
        raise invalid(f"The form is broken: {error}.") from None


def file_content(given: dict[str, Any]) -> bytes:
    """Return the field `media`: bytes of a form, or base 64 of a JSON object; raises the 400."""
    media = given.get("media")
    if isinstance(media, bytes):
        return media
    try:
        return b64decode(media, validate=True) if isinstance(media, str) else b""
    except binascii.Error:
        raise invalid("$.media: base64 expected") from None


def form_text(given: dict[str, Any], name: str) -> str:
    """Return a field as text."""
    value = given.get(name, "")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def page_size(given: str) -> int:
    """Return how many posts a page shows; raises the 400."""
    size = int(given) if given.isdecimal() and len(given) < 5 else 0
    if not FEWEST <= size <= MOST:
        raise invalid(f"The `max_results` query parameter value [{given}] is not between {FEWEST} and {MOST}")
    return size


def time_given(request: Request, name: str, default: float) -> float:
    """Return a time of the query as Unix seconds; raises the 400."""
    given = request.query_params.get(name)
    if given is None:
        return default
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise invalid(f"The `{name}` query parameter value [{given}] is not a valid RFC3339 timestamp", **{name: given})
    return at.timestamp()


def page_token(way: str, number: int) -> str:
    """Return the token of the page before (`p`) or after (`n`) this post."""
    return urlsafe_b64encode(f"{way}{number}".encode()).decode().rstrip("=")


def page_cursor(token: str) -> tuple[bool, int]:
    """Return whether a page before is meant, and the post at its edge (0: none)."""
    if not token:
        return False, 0
    try:
        said = urlsafe_b64decode(token + "=" * (-len(token) % 4)).decode()
        return {"p": True, "n": False}[said[0]], min(int(said[1:]), NO_ID)
    except (ValueError, KeyError, IndexError):
        raise invalid(f"The `pagination_token` query parameter value [{token}] is not valid") from None
