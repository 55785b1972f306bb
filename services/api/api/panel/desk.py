"""One request of somebody who is signed in: what they read, what they do, and the page that they get."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar
from urllib.parse import quote

from fastapi import Depends
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from api.http import etags
from api.http.calls import Call, System
from api.http.paging import Paging
from api.http.problems import EXPECTED, Problem, problem_of
from api.http.writing import writing
from api.panel.operations import Known, Operations
from api.panel.pages import Pages, Toast
from api.panel.viewer import Viewer
from api.panel.words import translations
from common.tokens import Scope

Answering = TypeVar("Answering")
Given = TypeVar("Given", bound=BaseModel)
PAGE = 50


@dataclass(slots=True)
class Desk:
    """What a screen works with. All that it reads and does goes through the API's own endpoints."""

    request: Request
    viewer: Viewer
    system: System
    operations: Operations
    pages: Pages
    said: Toast | None = None

    @property
    def by_htmx(self) -> bool:
        """Whether only a part of the page is wanted."""
        return "hx-request" in self.request.headers

    def may(self, scope: Scope) -> bool:
        """Whether what needs `scope` is allowed to this person."""
        return self.viewer.may(scope)

    def gettext(self, message: str, /, **values: object) -> str:
        """Return a text in the person's language; `values` are put in by name: %(name)s."""
        said = translations(self.viewer.language).gettext(message)
        return said % values if values else said

    def ngettext(self, singular: str, plural: str, number: int, /, **values: object) -> str:
        """Return a text that depends on a number, which it may name as %(num)s."""
        said = translations(self.viewer.language).ngettext(singular, plural, number)
        return said % {"num": number, **values}

    def need(self, scope: Scope) -> None:
        """Raise Problem where what needs `scope` is not allowed to this person, such as a form that they can't send."""
        if not self.may(scope):
            raise Problem("forbidden", f"this needs the scope {scope}; your role is {self.viewer.role}")

    async def read(self, endpoint: Callable[..., Awaitable[Answering]], /, **arguments: Any) -> Answering:
        """Call an endpoint that reads. A list takes `limit` and `cursor`. Raises Problem."""
        known = self.operations[endpoint]
        self.need(known.scope)
        system, path = self.system, known.path(arguments)
        call = Call(system, self.request, self.viewer.caller, system.database, system.rails, path=path)
        return await _called(endpoint, known, call, arguments)

    async def act(
        self, endpoint: Callable[..., Awaitable[Answering]], /, *, if_match: str | None = None, **arguments: Any
    ) -> Answering:
        """Call an endpoint that writes: its transaction, audit line and events as over HTTP. Raises Problem."""
        known = self.operations[endpoint]
        self.need(known.scope)
        path, operation = known.path(arguments), known.operation
        begun = writing(self.system, self.request, self.viewer.caller, operation, path=path, if_match=if_match)
        try:
            with self.system.tracer.start_as_current_span(f"panel {operation.name}"):
                async with begun as write:
                    answer = await _called(endpoint, known, write.call, arguments)
                    await write.record(_json(answer))
                later = await write.follow(arguments)
        except EXPECTED as error:
            raise problem_of(error) from error
        model = known.route.response_model
        if later is not None and later.body and isinstance(model, type) and issubclass(model, BaseModel):
            return model.model_validate_json(bytes(later.body))  # type: ignore[return-value] # what the route says
        return answer

    def etag(self, answer: BaseModel) -> str:
        """Return the tag of what is shown, for `if_match` when it is changed."""
        return etags.etag_of(answer)

    def given(self, model: type[Given], /, **values: Any) -> Given:
        """Return a body of the API from the fields of a form. Raises Problem, as the API does."""
        try:
            return model.model_validate(values)
        except ValidationError as error:
            located = [{**each, "loc": ("body", *each["loc"])} for each in error.errors()]
            raise problem_of(RequestValidationError(located)) from None

    async def form(self) -> dict[str, str]:
        """Return the fields of a form; of those with one name the last."""
        fields = await self.request.form()
        return {name: value.replace("\r\n", "\n") for name, value in fields.multi_items() if isinstance(value, str)}

    async def chosen(self, name: str) -> list[str]:
        """Return all values of the fields with one name, such as ticked rows."""
        return [value for value in (await self.request.form()).getlist(name) if isinstance(value, str)]

    def toast(self, text: str, *, detail: str = "", undo: str = "", bad: bool = False) -> None:
        """Say something in passing with the answer; `undo` is the address that a POST takes it back with."""
        self.said = Toast(text, detail, undo, bad)

    def page(self, template: str, block: str | None = None, *, status: int = 200, **values: Any) -> Response:
        """Answer a page; for htmx only the block."""
        return self.pages.answer(self.request, self.viewer, template, block, status, **{"toast": self.said, **values})

    def redirect(self, path: str) -> Response:
        """Send the browser to another page of the panel."""
        if self.by_htmx:
            return Response(status_code=204, headers={"HX-Redirect": quote(path, safe="/:?&=%@+,;#")})
        return RedirectResponse(path, 303)


async def _called(
    endpoint: Callable[..., Awaitable[Answering]], known: Known, call: Call, arguments: Mapping[str, Any]
) -> Answering:
    supplied = dict(arguments)
    if known.page:
        supplied[known.page] = Paging(call, supplied.pop("limit", PAGE), supplied.pop("cursor", None) or None)
    if known.call:
        supplied[known.call] = call
    try:
        return await endpoint(**supplied)
    except EXPECTED as error:
        raise problem_of(error) from error


def _json(answer: object) -> bytes:
    if isinstance(answer, BaseModel):
        return answer.model_dump_json(by_alias=True).encode()
    return bytes(answer.body) if isinstance(answer, Response) else b""


def _desk(request: Request) -> Desk:
    desk: Desk = request.state.desk
    return desk


Asking = Annotated[Desk, Depends(_desk)]
