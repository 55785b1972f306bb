"""`/api/chats`: what people see and do in the sandbox's Telegram."""

import re
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AwareDatetime, Base64Bytes, BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.markdown import parse_markdown
from sandbox.problems import Problem, read_body, whole_number
from sandbox.telegram.chats import Chat
from sandbox.telegram.errors import RpcError
from sandbox.telegram.messages import NO_ID, Message
from sandbox.telegram.people import User
from sandbox.telegram.world import World
from sandbox.web.served import serve_file
from sandbox.web.views import chat_json, media_json, message_json

Reference = int | str


class NewChat(BaseModel):
    """A channel or group; people are named by id, username or phone. Without an owner the first person owns it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str = Field(min_length=1, max_length=128)
    username: str | None = Field(None, pattern=r"^@?[A-Za-z]\w{3,31}$")
    kind: Literal["channel", "megagroup", "group"] = "channel"
    owner: Reference | None = None
    members: tuple[Reference, ...] = ()
    admins: tuple[Reference, ...] = ()
    noforwards: bool = False
    read_only: bool = False
    slow_mode_seconds: Annotated[int, Field(ge=0, le=3600)] = 0


class NewMessage(BaseModel):
    """What a person posts: Telegram markdown, and up to ten photos in base64 (JPEG, PNG or WebP)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    text: str = ""
    photos: tuple[Base64Bytes, ...] = Field((), max_length=10)
    author: Reference | None = None
    reply_to: int | None = None
    noforwards: bool = False
    date: AwareDatetime | None = None


@dataclass(frozen=True)
class ChatsApi:
    """Chats and messages over JSON. Ids of chats are marked: -100… for channels."""

    world: World

    def routes(self) -> list[BaseRoute]:
        """Return the routes below `/api/chats`."""
        chat = "/api/chats/{id}"
        return [
            Route("/api/chats", self._list),
            Route("/api/chats", self._add, methods=["POST"]),
            Route(chat + "/messages", self._messages),
            Route(chat + "/messages", self._post, methods=["POST"]),
            Route(chat + "/messages/{message_id:int}/media", self._media),
            Route(chat + "/messages/{message_id:int}", self._edit, methods=["PATCH"]),
            Route(chat + "/messages/{message_id:int}", self._delete, methods=["DELETE"]),
            Route(chat, self._one),
        ]

    async def _list(self, _: Request) -> Response:
        return JSONResponse([chat_json(self.world, chat) for chat in self.world.chats()])

    async def _one(self, request: Request) -> Response:
        return JSONResponse(chat_json(self.world, find_chat(self.world, request)))

    async def _add(self, request: Request) -> Response:
        wanted = await read_body(request, NewChat)
        owner = self._person(wanted.owner, "owner") if wanted.owner is not None else self.world.users()[0]
        members = [self._person(each, "members") for each in wanted.members]
        admins = [self._person(each, "admins") for each in wanted.admins]
        try:
            chat = self.world.add_channel(
                wanted.title, wanted.username, owner, wanted.kind, members=members, admins=admins
            )
        except ValueError as error:
            raise Problem(409, str(error), [{"field": "username", "detail": str(error)}]) from error
        self.world.set_noforwards(chat, wanted.noforwards)
        self.world.set_read_only(chat, wanted.read_only)
        self.world.set_slow_mode(chat, wanted.slow_mode_seconds)
        return JSONResponse(chat_json(self.world, chat), 201, {"location": f"/api/chats/{chat.id}"})

    async def _messages(self, request: Request) -> Response:
        chat = find_chat(self.world, request)
        after = whole_number(request, "after", 0, 0, NO_ID)
        limit = whole_number(request, "limit", 100, 1, 1000)
        found = self.world.messages(chat.id, after, limit)
        return JSONResponse([message_json(message) for message in found])

    async def _post(self, request: Request) -> Response:
        chat = find_chat(self.world, request)
        wanted = await read_body(request, NewMessage)
        author = self._person(wanted.author, "author") if wanted.author is not None else None
        text, entities = parse_markdown(wanted.text)
        date = wanted.date.timestamp() if wanted.date else None
        album = int(self.world.clock() * 1_000_000) if len(wanted.photos) > 1 else None
        posted: list[Message] = []
        try:
            for photo in wanted.photos or (None,):
                media = self.world.photo(photo) if photo is not None else None
                caption, marks = ("", []) if posted else (text, entities)
                message = self.world.post(
                    chat,
                    caption,
                    marks,
                    media=media,
                    date=date,
                    author=author,
                    grouped_id=album,
                    reply_to=wanted.reply_to,
                    noforwards=wanted.noforwards,
                )
                posted.append(message)
        except RpcError as error:
            raise _refused(error) from error
        return JSONResponse(message_json(posted[0]) | {"ids": [message.id for message in posted]}, 201)

    async def _edit(self, request: Request) -> Response:
        message = self._found(request)
        try:
            edited = self.world.edit(message, *parse_markdown((await read_body(request, NewMessage)).text))
        except RpcError as error:
            raise _refused(error) from error
        return JSONResponse(message_json(edited))

    async def _delete(self, request: Request) -> Response:
        self.world.delete([self._found(request)])
        return Response(status_code=204)

    async def _media(self, request: Request) -> Response:
        message = self._found(request)
        content = self.world.download(message)
        if content is None:
            raise Problem(404, "Nothing is attached to this message.")
        return serve_file(content, (media_json(message) or {}).get("name"))

    def _found(self, request: Request) -> Message:
        chat = find_chat(self.world, request)
        number = min(request.path_params["message_id"], NO_ID)
        message = self.world.message(chat.id, number)
        if message is None:
            raise Problem(404, f"There is no message {number} in {chat.title}.")
        return message

    def _person(self, reference: Reference, field: str) -> User:
        user = self.world.find_user(reference)
        if user is None:
            detail = f"there is no user {reference!r}"
            raise Problem(422, f"{field}: {detail}", [{"pointer": f"#/{field}", "field": field, "detail": detail}])
        return user


def find_chat(world: World, request: Request) -> Chat:
    """Return the chat that the path names by its marked id or @username, or raise the 404."""
    given: str = request.path_params["id"]
    chat = world.find_chat(int(given) if re.fullmatch(r"-?\d{1,18}", given, re.ASCII) else given)
    if chat is None:
        raise Problem(404, f"There is no chat '{given}'.")
    return chat


def _refused(error: RpcError) -> Problem:
    field = "photos" if error.name == "IMAGE_PROCESS_FAILED" else "text"
    return Problem(
        422, f"Telegram refuses this: {error.name}", [{"pointer": f"#/{field}", "field": field, "detail": error.name}]
    )
