"""Reading feeds as their readers do, and adding to them."""

import asyncio
from dataclasses import dataclass
from email.utils import format_datetime, parsedate_to_datetime
from hashlib import sha256
from pathlib import Path
from typing import cast, get_args

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles

from sandbox.connections import cut
from sandbox.faults import Faults
from sandbox.feeds.rendering import render
from sandbox.feeds.shelf import Feed, FeedAbout, FeedItem, Format, Shelf
from sandbox.problems import Problem, read_body


@dataclass(frozen=True)
class FeedEndpoint:
    """Feeds at `/feeds/{name}`, and the raw files of a directory at `/feeds/files/{path}`.

    Faults at `feed:<name>` and `feed:files/<path>`: `server_error` (500, or 503 with Retry-After where `seconds` is
    given), `delay` (answers after `seconds`), `broken` (the document ends in the middle) and `drop` (closes the
    connection).
    """

    shelf: Shelf
    faults: Faults
    files: Path | None

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the readers and of the JSON API."""
        return [
            Route("/feeds/files/{path:path}", self._file),
            Route("/feeds/{name}", self._feed),
            Route("/api/feeds", self._list),
            Route("/api/feeds", self._open, methods=["POST"]),
            Route("/api/feeds/{name}/items", self._items),
            Route("/api/feeds/{name}/items", self._add, methods=["POST"]),
        ]

    async def _feed(self, request: Request) -> Response:
        feed = self._found(request)
        wanted = request.query_params.get("format", feed.about.format)
        if wanted not in get_args(Format):
            detail = f"must be one of {', '.join(get_args(Format))}"
            raise Problem(422, f"format: {detail}", [{"parameter": "format", "field": "format", "detail": detail}])
        address = str(request.url)
        body, media_type = render(feed, cast(Format, wanted), address)
        headers = {
            "etag": f'"{sha256(body).hexdigest()[:32]}"',
            "last-modified": format_datetime(feed.changed, usegmt=True),
            "cache-control": "no-cache",
        }
        response = Response(body, media_type=media_type, headers=headers)
        if _unchanged(request, headers["etag"], feed):
            response = Response(status_code=304, headers=headers)
        return await self._befallen(request, f"feed:{feed.about.name}", response)

    async def _file(self, request: Request) -> Response:
        if self.files is None:
            raise Problem(404, "No directory of feed files is mounted (SANDBOX_FEED_FILES).")
        path = request.path_params["path"]
        served = await StaticFiles(directory=self.files).get_response(path, request.scope)
        return await self._befallen(request, f"feed:files/{path}", served, self.files / path)

    async def _befallen(self, request: Request, where: str, response: Response, file: Path | None = None) -> Response:
        """Return the response, or what a fault makes of it."""
        fault = self.faults.take(where)
        match fault and fault.kind:
            case "server_error" if fault:
                back = {"retry-after": str(round(fault.seconds))} if fault.seconds else {}
                text = fault.message or "The feed is out of order."
                return Response(text, 503 if fault.seconds else 500, back, "text/plain")
            case "delay" if fault:
                await asyncio.sleep(fault.seconds)
            case "broken":
                whole = await asyncio.to_thread(file.read_bytes) if file else bytes(response.body)
                media_type = response.headers.get("content-type")
                return Response(whole[: len(whole) * 2 // 3], media_type=media_type)
            case "drop":
                await cut(request)
        return response

    async def _list(self, _: Request) -> Response:
        return JSONResponse([_described(feed) for feed in self.shelf])

    async def _open(self, request: Request) -> Response:
        feed = self.shelf.open(await read_body(request, FeedAbout))
        return JSONResponse(_described(feed), 201, {"location": f"/feeds/{feed.about.name}"})

    async def _items(self, request: Request) -> Response:
        return JSONResponse([item.model_dump(mode="json") for item in self._found(request).items])

    async def _add(self, request: Request) -> Response:
        item = await read_body(request, FeedItem)
        try:
            added = self.shelf.add(request.path_params["name"], item)
        except ValueError as error:
            raise Problem(422, "name: must be lower-case letters, digits, - and _, at most 64") from error
        return JSONResponse(added.model_dump(mode="json"), 201)

    def _found(self, request: Request) -> Feed:
        feed = self.shelf.get(request.path_params["name"])
        if feed is None:
            raise Problem(404, f"There is no feed '{request.path_params['name']}'.")
        return feed


def _described(feed: Feed) -> dict[str, object]:
    return feed.about.model_dump(mode="json") | {"items": feed.count, "path": f"/feeds/{feed.about.name}"}


def _unchanged(request: Request, etag: str, feed: Feed) -> bool:
    """Whether the reader has it already; If-None-Match goes before If-Modified-Since (RFC 9110 section 13.2.2)."""
    known = request.headers.get("if-none-match")
    if known is not None:
        return known.strip() == "*" or etag in (each.strip().removeprefix("W/") for each in known.split(","))
    since = request.headers.get("if-modified-since")
    try:
        return since is not None and parsedate_to_datetime(since) >= feed.changed
    except (TypeError, ValueError):
        return False
