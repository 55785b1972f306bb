"""The pages: the list of chats, and one chat as Telegram would show it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from sandbox.feeds.shelf import Shelf
from sandbox.problems import whole_number
from sandbox.telegram.messages import NO_ID
from sandbox.telegram.world import World
from sandbox.web.chats import find_chat
from sandbox.web.views import Bubble, bubbles, chat_json, messages_before

MESSAGES_PER_PAGE = 50
# What the chats of an announcement are to the product, in the order of a post's way.
SECTIONS = {
    "sources": "Sources",
    "destinations": "Destination",
    "broadcast_chats": "Chats that are broadcast to",
    "canary": "Where the canary comes out",
}


@dataclass(frozen=True)
class Pages:
    """Server-rendered pages under a policy that runs no script and no style but ours.

    `telegram` describes the server as it is announced.
    """

    world: World
    shelf: Shelf
    telegram: Callable[[], dict[str, Any]]
    templates: Environment

    def routes(self) -> list[BaseRoute]:
        """Return the routes of the pages and of what they load."""
        return [
            Route("/", self._chats),
            Route("/chats/{id}", self._chat),
            Route("/chats/{id}/newer", self._newer),
            Mount("/static", StaticFiles(packages=[("sandbox.web", "static")])),
        ]

    async def _chats(self, _: Request) -> Response:
        chats = [chat_json(self.world, chat) for chat in self.world.chats()]
        latest = {chat["id"]: self._latest(chat["id"]) for chat in chats}
        chats.sort(key=lambda chat: chat["last_message_at"] or "", reverse=True)
        announced = self.telegram()
        named = {each["id"]: title for part, title in SECTIONS.items() for each in announced[part]}
        sections = [
            (title, [chat for chat in chats if named.get(chat["id"], "Others") == title])
            for title in (*SECTIONS.values(), "Others")
        ]
        shown = [(title, members) for title, members in sections if members]
        return self._page("chats.html", sections=shown, latest=latest, feeds=list(self.shelf))

    async def _chat(self, request: Request) -> Response:
        chat = find_chat(self.world, request)
        before = whole_number(request, "before", 0, 0, NO_ID)
        messages = messages_before(self.world, chat, before or None, MESSAGES_PER_PAGE + 1)
        older = messages[1].id if len(messages) > MESSAGES_PER_PAGE else None
        return self._page(
            "chat.html",
            chat=chat_json(self.world, chat),
            bubbles=bubbles(self.world, messages[-MESSAGES_PER_PAGE:]),
            older=older,
            is_newest=not before,
        )

    async def _newer(self, request: Request) -> Response:
        """Answer the messages that came after one, as a piece of the page."""
        chat = find_chat(self.world, request)
        after = whole_number(request, "after", 0, 0, NO_ID)
        newer = bubbles(self.world, self.world.messages(chat.id, after, MESSAGES_PER_PAGE))
        if not newer:
            return Response(status_code=204)
        return self._page("bubbles.html", chat=chat_json(self.world, chat), bubbles=newer)

    def _latest(self, chat_id: int) -> Bubble | None:
        newest = self.world.recent_messages(chat_id, 1)
        return bubbles(self.world, newest)[0] if newest else None

    def _page(self, template: str, **shown: Any) -> Response:
        return page(self.templates, template, **shown)


def page(templates: Environment, template: str, **shown: Any) -> Response:
    """Return a page under the policy that runs no script and no style but ours."""
    # https://developer.mozilla.org/en-US/docs/Web/HTTP/Headers/Content-Security-Policy
    policy = (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    headers = {
        "content-security-policy": policy,
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cache-control": "no-store",
    }
    return HTMLResponse(templates.get_template(template).render(**shown), headers=headers)


def load_templates() -> Environment:
    """Return the templates; everything they show is escaped, and a name they miss is an error."""
    loader = PackageLoader("sandbox.web")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    environment.filters["grouped"] = lambda number: f"{number:,}".replace(",", "\u202f")
    return environment
