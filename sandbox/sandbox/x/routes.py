"""The HTTP side of the sandbox's X: `{base}/2/…`, as api.x.com has it."""

from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.calls import Calls, Handler, Refusal, fault_of
from sandbox.faults import Fault, Faults
from sandbox.x.archive import FOREVER, NO_ID, Account, Archive
from sandbox.x.errors import XProblem, failed, invalid, not_found, too_many, unauthorised
from sandbox.x.posting import Posting, number_of
from sandbox.x.reading import (
    asked_by,
    basic_client,
    bearer,
    file_content,
    form_fields,
    form_text,
    json_object,
    page_cursor,
    page_size,
    page_token,
    path_id,
    time_given,
)
from sandbox.x.tokens import ACCESS_SECONDS, CLIENT, SCOPES, Tokens
from sandbox.x.uploads import Uploads
from sandbox.x.views import Views
from sandbox.x.windows import Windows

KINDS = ("media_failed",)
USUAL = 10  # posts on a page of a timeline
TIMELINE = {"max_results", "pagination_token", "start_time", "end_time", "since_id", "until_id", "exclude"}


class XEndpoint:
    """The X API v2 as far as publishing needs it, at `/x/2`. Users sign in with an OAuth 2.0 token of theirs as Bearer.

    Operations, as faults name them, are the paths: `x:/2/tweets` (creating a post), `x:DELETE /2/tweets/{id}`,
    `x:/2/tweets/{id}`, `x:/2/users/me`, `x:/2/users/{id}/tweets`, `x:/2/media/upload`, `x:GET /2/media/upload`
    (STATUS), `x:/2/media/upload/initialize`, `x:/2/media/upload/{id}/append`, `x:/2/media/upload/{id}/finalize`,
    `x:/2/media/metadata` and `x:/2/oauth2/token`. Beside the kinds of `sandbox.calls` there is `media_failed` for the
    upload in one call and for finalize: the processing of the media ends as failed.
    """

    part = "x"

    def __init__(self, archive: Archive, tokens: Tokens, uploads: Uploads, windows: Windows, faults: Faults) -> None:
        self.archive = archive
        self.tokens = tokens
        self.calls = Calls(self, faults)
        self.uploads = uploads
        self.posting = Posting(archive, uploads)
        self.windows = windows

    def routes(self) -> list[BaseRoute]:
        """Return the routes below `/x`."""
        upload = "/2/media/upload"
        return [
            self._route("POST", "/2/tweets", self._create),
            self._route("DELETE", "/2/tweets/{id}", self._delete, named="DELETE /2/tweets/{id}"),
            self._route("GET", "/2/tweets/{id}", self._post),
            self._route("GET", "/2/users/me", self._me),
            self._route("GET", "/2/users/{id}/tweets", self._timeline),
            self._route("POST", upload, self._upload, kinds=KINDS),
            self._route("GET", upload, self._status, named=f"GET {upload}"),
            self._route("POST", f"{upload}/initialize", self._initialize),
            self._route("POST", f"{upload}/{{id}}/append", self._append),
            self._route("POST", f"{upload}/{{id}}/finalize", self._finalize, kinds=KINDS),
            self._route("POST", "/2/media/metadata", self._metadata),
            Route("/x/2/oauth2/token", self.calls.served("/2/oauth2/token", self._token), methods=["POST"]),
            Route("/x/{username}/status/{id}", self._web),
            Route("/x/{path:path}", self._unknown, methods=["GET", "POST", "PUT", "DELETE"]),
        ]

    async def caller(self, request: Request) -> int | None:
        """Return the id of the user whose token the call bears, whether or not the token is in force."""
        await request.body()
        owner = self.tokens.owner(bearer(request))
        return owner[0].id if owner else None

    def refusal(self, fault: Fault) -> XProblem:
        """Word a fault as X does."""
        if fault.kind == "rate_limit":
            return too_many(300, int(self.archive.clock() + fault.seconds) + 1, fault.message)
        return unauthorised(fault.message) if fault.kind == "expired_token" else failed(fault.seconds, fault.message)

    def _route(
        self, method: str, path: str, handler: Handler, *, named: str = "", kinds: tuple[str, ...] = ()
    ) -> BaseRoute:
        operation = named or path

        async def counted(request: Request) -> Response:
            told = self.windows.count(self._signed_in(request), operation)
            try:
                response = await handler(request)
            except Refusal as refused:
                response = refused.response()
            response.headers.update(told)
            return response

        return Route(f"/x{path}", self.calls.served(operation, counted, kinds), methods=[method])

    async def _create(self, request: Request) -> Response:
        post = self.posting.create(self._signed_in(request), json_object(await request.body()))
        shown = self._views(request).post(post)
        return JSONResponse({"data": shown}, 201)

    async def _delete(self, request: Request) -> Response:
        deleted = self.posting.delete(self._signed_in(request), path_id(request))
        return JSONResponse({"data": {"deleted": deleted}})

    async def _post(self, request: Request) -> Response:
        asked = asked_by(request, set())
        number = path_id(request)
        post = self.archive.post(number)
        if post is None:
            return JSONResponse({"errors": [not_found("tweet", "id", request.path_params["id"])]})
        views = self._views(request)
        return JSONResponse(_with({"data": views.post(post, asked)}, views.includes([post], asked)))

    async def _me(self, request: Request) -> Response:
        account = self._signed_in(request)
        return JSONResponse({"data": self._views(request).user(account, asked_by(request, set()))})

    async def _timeline(self, request: Request) -> Response:
        asked, given = asked_by(request, TIMELINE), request.query_params
        account = self.archive.accounts.get(path_id(request))
        if account is None:
            return JSONResponse({"errors": [not_found("user", "id", request.path_params["id"])]})
        limit = page_size(given.get("max_results", str(USUAL)))
        backwards, edge = page_cursor(given.get("pagination_token", ""))
        above = number_of(given["since_id"], "since_id") if "since_id" in given else 0
        below = number_of(given["until_id"], "until_id") if "until_id" in given else NO_ID
        bounds: dict[str, Any] = {
            "since": time_given(request, "start_time", 0.0),
            "until": time_given(request, "end_time", float(FOREVER)),
            "replies": "replies" not in given.get("exclude", "").split(","),
        }
        if backwards:
            found = self.archive.posts(account, limit, above=max(above, edge), below=below, oldest_first=True, **bounds)
        else:
            found = self.archive.posts(account, limit, above=above, below=min(below, edge or NO_ID), **bounds)
        meta: dict[str, Any] = {"result_count": len(found)}
        if not found:
            return JSONResponse({"meta": meta})
        meta |= {"newest_id": str(found[0].id), "oldest_id": str(found[-1].id)}
        if self.archive.posts(account, 1, above=above, below=found[-1].id, **bounds):
            meta["next_token"] = page_token("n", found[-1].id)
        if self.archive.posts(account, 1, above=max(above, found[0].id), below=below, **bounds):
            meta["previous_token"] = page_token("p", found[0].id)
        views = self._views(request)
        listed = {"data": [views.post(post, asked) for post in found], "meta": meta}
        return JSONResponse(_with(listed, views.includes(found, asked)))

    async def _upload(self, request: Request) -> Response:
        account, given = self._signed_in(request), form_fields(request, await request.body())
        content, category = file_content(given), form_text(given, "media_category")
        media = await self.uploads.upload(account, category, content, fails=_fails(request))
        return JSONResponse({"data": self._views(request).upload(media)})

    async def _status(self, request: Request) -> Response:
        media = self.uploads.found(
            self._signed_in(request), number_of(request.query_params.get("media_id"), "media_id")
        )
        return JSONResponse({"data": self._views(request).upload(media)})

    async def _initialize(self, request: Request) -> Response:
        account, wanted = self._signed_in(request), json_object(await request.body())
        category, kind = wanted.get("media_category", "tweet_image"), wanted.get("media_type")
        size = wanted.get("total_bytes")
        if not isinstance(size, int) or isinstance(size, bool):
            raise invalid("$.total_bytes: an integer is expected", total_bytes=size)
        media = self.uploads.initialize(account, str(category), str(kind), size)
        return JSONResponse({"data": self._views(request).upload(media)})

    async def _append(self, request: Request) -> Response:
        account, given = self._signed_in(request), form_fields(request, await request.body())
        position = form_text(given, "segment_index")
        if not position.isdecimal():
            raise invalid("$.segment_index: an integer is expected", segment_index=position)
        media = self.uploads.append(account, path_id(request), min(int(position), 10**6), file_content(given))
        return JSONResponse({"data": {"expires_at": int(media.created_at) + 24 * 60 * 60}})

    async def _finalize(self, request: Request) -> Response:
        media = await self.uploads.finalize(self._signed_in(request), path_id(request), fails=_fails(request))
        return JSONResponse({"data": self._views(request).upload(media)})

    async def _metadata(self, request: Request) -> Response:
        account, wanted = self._signed_in(request), json_object(await request.body())
        given = wanted.get("metadata")
        alt_text = given.get("alt_text", {}) if isinstance(given, dict) else {}
        text = alt_text.get("text") if isinstance(alt_text, dict) else None
        if not isinstance(text, str):
            raise invalid("$.metadata.alt_text.text: string expected", metadata=given)
        media = self.uploads.describe(account, number_of(wanted.get("id"), "id"), text)
        return JSONResponse({"data": {"id": str(media.id), "associated_metadata": {"alt_text": {"text": text}}}})

    async def _token(self, request: Request) -> Response:
        """Answer new tokens for a refresh token: https://www.rfc-editor.org/rfc/rfc6749#section-6."""
        given = dict(parse_qsl((await request.body()).decode("utf-8", "replace")))
        if given.get("grant_type") != "refresh_token":
            return _oauth_error(
                "unsupported_grant_type", "The sandbox refreshes tokens; it grants none by other means."
            )
        if (given.get("client_id") or basic_client(request)) != CLIENT:
            return JSONResponse({"error": "unauthorized_client", "error_description": "Missing valid client"}, 401)
        fresh = self.tokens.refresh(given.get("refresh_token", ""))
        if fresh is None:
            return _oauth_error("invalid_request", "Value passed for the token was invalid.")
        answer = {"token_type": "bearer", "expires_in": ACCESS_SECONDS, "scope": SCOPES}
        return JSONResponse(answer | {"access_token": fresh[0], "refresh_token": fresh[1]})

    async def _web(self, request: Request) -> Response:
        """Lead from where a post would be on x.com to the page that shows it."""
        account = self.archive.named(request.path_params["username"])
        if account is None:
            return XProblem(404, "Not Found", "Not Found").response()
        return RedirectResponse(f"/accounts/x/{account.username}#m{path_id(request)}", 302)

    async def _unknown(self, _: Request) -> Response:
        return XProblem(404, "Not Found", "Not Found").response()

    def _signed_in(self, request: Request) -> Account:
        owner = self.tokens.owner(bearer(request))
        if owner is None or not owner[1]:
            raise unauthorised()
        return owner[0]

    def _views(self, request: Request) -> Views:
        return Views(self.archive, str(request.base_url).rstrip("/"))


def _with(answer: dict[str, Any], includes: dict[str, Any]) -> dict[str, Any]:
    return answer | {"includes": includes} if includes else answer


def _fails(request: Request) -> bool:
    fault = fault_of(request)
    return fault is not None and fault.kind == "media_failed"


def _oauth_error(error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, 400)
