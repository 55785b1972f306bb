"""The HTTP side of the sandbox's Instagram: `{base}/v23.0/…`, as graph.instagram.com and graph.facebook.com have it."""

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.calls import Calls, fault_of
from sandbox.faults import Fault, Faults
from sandbox.instagram.containers import QUOTA_SECONDS, Studio
from sandbox.instagram.errors import (
    GraphError,
    bad_parameter,
    expired_token,
    failed,
    missing,
    no_token,
    rate_limited,
    unknown_token,
)
from sandbox.instagram.gallery import NEVER, TOKEN_SECONDS, Account, Media
from sandbox.instagram.nodes import Nodes, wanted_fields

KINDS = ("container_error",)
VERSION = "v23.0"
UNLIMITED = 1_000_000  # what is told as the quota where limits are off
DEFAULT_PAGE, LARGEST_PAGE = 25, 100  # https://developers.facebook.com/docs/graph-api/results


class InstagramEndpoint:
    """The Graph API as far as publishing needs it, at `/instagram/v23.0` (any version will do).

    Operations, as faults name them: `instagram:media` (making a container), `instagram:media_publish`,
    `instagram:container`, `instagram:content_publishing_limit`, `instagram:recent` (the list of posts),
    `instagram:item` (one post), `instagram:user` and `instagram:refresh_access_token`. Beside the kinds of
    `sandbox.calls` there is `container_error`: the container is made, and ends with status_code ERROR; `message` is the
    subcode (default 2207053). For `rate_limit` the `message` may be the code: 4, 17, 32, 613 or 80002.
    """

    part = "instagram"

    def __init__(self, studio: Studio, faults: Faults) -> None:
        self.studio = studio
        self.calls = Calls(self, faults)

    def routes(self) -> list[BaseRoute]:
        """Return the routes below `/instagram`."""
        node, served = "/instagram/v{version}/{node}", self.calls.served
        return [
            Route("/instagram/refresh_access_token", served("refresh_access_token", self._refresh)),
            Route("/instagram/v{version}/refresh_access_token", served("refresh_access_token", self._refresh)),
            Route(f"{node}/media", served("media", self._create, KINDS), methods=["POST"]),
            Route(f"{node}/media", served("recent", self._recent)),
            Route(f"{node}/media_publish", served("media_publish", self._publish), methods=["POST"]),
            Route(f"{node}/content_publishing_limit", served("content_publishing_limit", self._limit)),
            Route(f"{node}/children", served("item", self._children)),
            Route(node, self._node),
            Route("/instagram/{path:path}", self._unknown, methods=["GET", "POST", "DELETE"]),
        ]

    async def caller(self, request: Request) -> int | None:
        """Return the id of the account whose token the call bears, whether or not the token is in force."""
        request.state.given = await _given(request)
        owner = self.studio.gallery.owner(_token(request))
        return owner[0].id if owner else None

    def refusal(self, fault: Fault) -> GraphError:
        """Word a fault as the Graph API does."""
        if fault.kind == "rate_limit":
            return rate_limited(fault.seconds, fault.message)
        return expired_token(fault.message) if fault.kind == "expired_token" else failed(fault.seconds, fault.message)

    async def _node(self, request: Request) -> Response:
        """Answer one node, as the operation that its id stands for."""
        number = _number(request.path_params["node"])
        operation, handler = "user", self._user
        if self.studio.gallery.container(number):
            operation, handler = "container", self._container
        elif self.studio.gallery.media(number):
            operation, handler = "item", self._item
        return await self.calls.served(operation, handler)(request)

    async def _create(self, request: Request) -> Response:
        account = self._account(request)
        fault = fault_of(request)
        failure = None
        if fault and fault.kind == "container_error":
            failure = int(fault.message) if fault.message.isdecimal() else 2207053
        return JSONResponse({"id": str(await self.studio.create(account, request.state.given, failure))})

    async def _publish(self, request: Request) -> Response:
        account = self._account(request)
        if not (creation := request.state.given.get("creation_id", "")):
            raise bad_parameter("The parameter creation_id is required.")
        return JSONResponse({"id": str(self.studio.publish(account, creation))})

    async def _container(self, request: Request) -> Response:
        account = self._signed_in(request)
        container = self.studio.gallery.container(_number(request.path_params["node"]))
        if container is None or container.account != account.id:
            raise missing(request.path_params["node"], request.method)
        return JSONResponse(self._nodes(request).container(container, _fields(request)))

    async def _item(self, request: Request) -> Response:
        return JSONResponse(self._nodes(request).media(self._media(request), _fields(request)))

    async def _children(self, request: Request) -> Response:
        children = self.studio.gallery.children(self._media(request).id)
        nodes, fields = self._nodes(request), _fields(request)
        return JSONResponse({"data": [nodes.media(child, fields) for child in children]})

    async def _user(self, request: Request) -> Response:
        return JSONResponse(self._nodes(request).user(self._account(request), _fields(request)))

    async def _limit(self, request: Request) -> Response:
        account = self._account(request)
        now = self.studio.gallery.clock()
        since = _time(request, "since")
        if since is not None and not now - QUOTA_SECONDS <= since <= now:
            raise bad_parameter("Param since must be a Unix timestamp no older than 24 hours")
        known = {
            "quota_usage": self.studio.used(account, since),
            "config": {"quota_total": self.studio.quota or UNLIMITED, "quota_duration": QUOTA_SECONDS},
        }
        wanted = [field.name for field in _fields(request)] or ["quota_usage"]
        if unknown := [name for name in wanted if name not in known]:
            raise bad_parameter(f"Tried accessing nonexisting field ({unknown[0]})")
        return JSONResponse({"data": [{name: known[name] for name in wanted}]})

    async def _recent(self, request: Request) -> Response:
        account = self._account(request)
        given: Mapping[str, str] = request.state.given
        limit = _number(given.get("limit", str(DEFAULT_PAGE)))
        if not 1 <= limit <= LARGEST_PAGE:
            raise bad_parameter(f"Param limit must be a number from 1 to {LARGEST_PAGE}")
        before, after = _number(given.get("before", "0")), _number(given.get("after", "0"))
        found = self.studio.gallery.posts(
            account,
            limit,
            above=before,
            below=after or NEVER,
            since=_time(request, "since") or 0,
            until=_time(request, "until") or NEVER,
            oldest_first=bool(before),
        )
        nodes, fields = self._nodes(request), _fields(request)
        listed: dict[str, Any] = {"data": [nodes.media(media, fields) for media in found]}
        if found:
            listed["paging"] = self._paging(request, account, found)
        return JSONResponse(listed)

    def _paging(self, request: Request, account: Account, found: list[Media]) -> dict[str, Any]:
        """Return the cursors around what was found, and the address of the next page where there is one.

        Cursors are opaque to clients (https://developers.facebook.com/docs/graph-api/results); here they are ids.
        """
        paging: dict[str, Any] = {"cursors": {"before": str(found[0].id), "after": str(found[-1].id)}}
        if self.studio.gallery.posts(account, 1, below=found[-1].id):
            asked = {name: value for name, value in request.state.given.items() if name != "before"}
            asked |= {"after": str(found[-1].id)}
            paging["next"] = f"{_origin(request)}{request.url.path}?{urlencode(asked)}"
        return paging

    async def _refresh(self, request: Request) -> Response:
        """Answer a new token for one that is in force, as https://graph.instagram.com/refresh_access_token does."""
        account = self._signed_in(request)
        if request.state.given.get("grant_type") != "ig_refresh_token":
            raise bad_parameter("The parameter grant_type must be ig_refresh_token")
        token = self.studio.gallery.issue_token(account)
        granted = "instagram_business_basic,instagram_business_content_publish"
        answer = {"access_token": token, "token_type": "bearer", "expires_in": TOKEN_SECONDS, "permissions": granted}
        return JSONResponse(answer)

    async def _unknown(self, request: Request) -> Response:
        return GraphError(400, 2500, f"Unknown path components: /{request.path_params['path']}").response()

    def _signed_in(self, request: Request) -> Account:
        token = _token(request)
        if not token:
            raise no_token()
        owner = self.studio.gallery.owner(token)
        if owner is None:
            raise unknown_token()
        account, in_force = owner
        if not in_force:
            raise expired_token()
        return account

    def _account(self, request: Request) -> Account:
        """Return the account that the path names, which must be that of the token."""
        account = self._signed_in(request)
        node = request.path_params["node"]
        if node not in ("me", str(account.id)):
            raise missing(node, request.method)
        return account

    def _media(self, request: Request) -> Media:
        account = self._signed_in(request)
        media = self.studio.gallery.media(_number(request.path_params["node"]))
        if media is None or media.account != account.id:
            raise missing(request.path_params["node"], request.method)
        return media

    def _nodes(self, request: Request) -> Nodes:
        return Nodes(self.studio, _origin(request))


def _fields(request: Request) -> Any:
    return wanted_fields(request.state.given.get("fields", ""))


async def _given(request: Request) -> dict[str, str]:
    """Return the parameters, which may come in the address, in a form, or as a JSON object."""
    given = dict(request.query_params)
    body = await request.body()
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/json":
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        if isinstance(parsed, dict):
            given |= {name: _as_text(value) for name, value in parsed.items()}
    else:
        given |= dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))
    return given


def _as_text(value: object) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair is no text


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() in ("bearer", "oauth") else request.state.given.get("access_token", "")


def _number(given: str) -> int:
    """Return a number of an address, or 0 for what is none."""
    return int(given) if re.fullmatch(r"\d{1,18}", given, re.ASCII) else 0


def _time(request: Request, name: str) -> float | None:
    """Return a time that was given as Unix seconds or in ISO 8601; raises the error of code 100."""
    given: str = request.state.given.get(name, "")
    if not given:
        return None
    try:
        if re.fullmatch(r"\d{1,12}", given, re.ASCII):
            return float(given)
        at = datetime.fromisoformat(given)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        raise bad_parameter(f"Param {name} must be a valid timestamp") from None


def _origin(request: Request) -> str:
    return str(request.base_url).rstrip("/")
