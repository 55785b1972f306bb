"""The accounts on Instagram and X: pages for people, and JSON for programs."""

from collections.abc import Iterable
from dataclasses import asdict

from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.platforms import Platforms
from sandbox.problems import Problem, whole_number
from sandbox.web.pages import page
from sandbox.web.walls import InstagramWall, Shown, Wall, XWall
from sandbox.x.archive import NO_ID

POSTS_PER_PAGE = 50
SHOWN_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "video/mp4")


class Accounts:
    """`/accounts/{platform}/{username}` shows what was posted, `/api/{platform}/{username}/posts` says it as JSON.

    `/api/{platform}/requests` lists the last calls. `DELETE /api/{platform}/{username}/tokens` ends the access tokens
    of an account; `POST` issues a new one on Instagram.
    """

    def __init__(self, platforms: Platforms, templates: Environment) -> None:
        self._platforms = platforms
        self._templates = templates
        self._walls: dict[str, Wall] = {
            wall.name: wall for wall in (InstagramWall(platforms.instagram), XWall(platforms.x))
        }
        templates.globals["accounts"] = list(self._links())

    def routes(self) -> list[BaseRoute]:
        """Return the routes of pages, files and JSON."""
        routes: list[BaseRoute] = [
            Route("/accounts/instagram/pictures/{id:int}.jpg", self._picture),
            Route("/accounts/x/media/{id:int}", self._media),
        ]
        for name in self._walls:
            routes += [
                Route(f"/accounts/{name}/{{username}}", self._page),
                Route(f"/api/{name}/requests", self._requests),
                Route(f"/api/{name}/{{username}}/posts", self._posts),
                Route(f"/api/{name}/{{username}}/tokens", self._expire, methods=["DELETE"]),
                Route(f"/api/{name}/{{username}}/tokens", self._issue, methods=["POST"]),
            ]
        return routes

    async def _page(self, request: Request) -> Response:
        wall, username = self._wall(request), request.path_params["username"]
        posts = self._found(request, POSTS_PER_PAGE + 1)
        shown = posts[:POSTS_PER_PAGE]
        older = shown[-1].id if len(posts) > POSTS_PER_PAGE else None
        return page(self._templates, "account.html", platform=wall, username=username, posts=shown, older=older)

    async def _posts(self, request: Request) -> Response:
        limit = whole_number(request, "limit", 100, 1, 1000)
        listed = [
            asdict(post) | {"at": post.at.isoformat(), "id": str(post.id)} for post in self._found(request, limit)
        ]
        return JSONResponse(listed)

    async def _requests(self, request: Request) -> Response:
        calls = self._wall(request).calls
        newest = calls.newest(whole_number(request, "limit", 50, 1, 500))
        return JSONResponse({"total": calls.total, "requests": [asdict(call) for call in newest]})

    async def _expire(self, request: Request) -> Response:
        self._found(request, 1)
        self._wall(request).expire(request.path_params["username"])
        return Response(status_code=204)

    async def _issue(self, request: Request) -> Response:
        self._found(request, 1)
        token = self._wall(request).issue(request.path_params["username"])
        if token is None:
            raise Problem(409, "On X an access token is had for a refresh token, at /x/2/oauth2/token.")
        return JSONResponse({"access_token": token}, 201)

    async def _picture(self, request: Request) -> Response:
        content = self._platforms.instagram.studio.gallery.content(min(request.path_params["id"], NO_ID))
        return _file(content, "image/jpeg")

    async def _media(self, request: Request) -> Response:
        found = self._platforms.x.archive.content(min(request.path_params["id"], NO_ID))
        return _file(*(found or (None, "")))

    def _wall(self, request: Request) -> Wall:
        return self._walls[request.url.path.split("/")[2]]

    def _found(self, request: Request, limit: int) -> list[Shown]:
        before = whole_number(request, "before", NO_ID, 0, NO_ID)
        posts = self._wall(request).posts(request.path_params["username"], limit, before)
        if posts is None:
            raise Problem(404, f"There is no account '{request.path_params['username']}'.")
        return posts

    def _links(self) -> Iterable[tuple[str, str, str]]:
        for wall in self._walls.values():
            for username in wall.usernames():
                yield wall.title, username, f"/accounts/{wall.name}/{username}"


def _file(content: bytes | None, kind: str) -> Response:
    if content is None:
        raise Problem(404, "There is no such file.")
    kind = kind if kind in SHOWN_TYPES else "application/octet-stream"
    return Response(content, media_type=kind, headers={"cache-control": "max-age=31536000, immutable"})
