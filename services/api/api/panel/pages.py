"""Pages from templates: the whole of one for a browser, only the block that changes for htmx."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlencode

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from api.panel import charts
from api.panel.formats import Formats
from api.panel.prose import safe_address
from api.panel.viewer import Viewer
from api.panel.words import translations

VARY = {"Vary": "HX-Request"}


@dataclass(frozen=True, slots=True)
class Toast:
    """What is said in passing, at the foot of the page; `undo` is the address that takes it back."""

    text: str
    detail: str = ""
    undo: str = ""
    bad: bool = False


@dataclass(frozen=True, slots=True)
class Pages:
    """Renders templates. `shared` is what every page has, such as whether this is the sandbox."""

    shared: Mapping[str, Any] = field(default_factory=dict)

    def context(self, viewer: Viewer, **values: Any) -> dict[str, Any]:
        """Return what a template works with."""
        formats = Formats(viewer)
        return {
            **self.shared,
            "viewer": viewer,
            "lang": viewer.language,
            "may": viewer.may,
            "n": formats.number,
            "compact": formats.compact,
            "share": formats.share,
            "money": formats.money,
            "span": formats.span,
            "at": formats.at,
            "moment": formats.moment,
            "ago": formats.ago,
            "local": formats.local,
            **values,
        }

    def block(self, viewer: Viewer, template: str, block: str, **values: Any) -> str:
        """Render one block of a template."""
        view = environment(viewer.language).get_template(template)
        return "".join(view.blocks[block](view.new_context(self.context(viewer, **values))))

    def whole(self, viewer: Viewer, template: str, **values: Any) -> str:
        """Render a template."""
        return environment(viewer.language).get_template(template).render(self.context(viewer, **values))

    def answer(
        self, request: Request, viewer: Viewer, template: str, block: str | None, status: int = 200, **values: Any
    ) -> Response:
        """Answer a page, or for htmx the block and what is said in passing."""
        values = {"path": request.url.path, "here": here(request), "toast": None, **values}
        if block and "hx-request" in request.headers:
            body = self.block(viewer, template, block, **values) + self.said(viewer, values["toast"])
            return HTMLResponse(body, status, VARY)
        return HTMLResponse(self.whole(viewer, template, **values), status, VARY)

    def said(self, viewer: Viewer, toast: Toast | None) -> str:
        """Render what is said in passing as a part that goes to its own place."""
        if toast is None:
            return ""
        inner = self.block(viewer, "parts/toast.html", "toast", toast=toast)
        return f'<hx-partial hx-target="#toast" hx-swap="innerHTML">{inner}</hx-partial>'


@cache
def environment(language: str) -> Environment:
    """Return the templates of a language."""
    templates = Environment(
        loader=PackageLoader(__package__),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n", "jinja2.ext.do"],
    )
    templates.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    templates.globals.update(
        sparkline=charts.sparkline, funnel_band=charts.funnel, static=static, url=url, outside=safe_address
    )
    return templates


def static(name: str) -> str:
    """Return the address of a file. With another version all have others: a browser keeps what it has until then."""
    return f"/static/{static_version()}/{name}"


@cache
def static_version() -> str:
    """Return a digest of all files. It stands before their names, so that a style sheet finds fonts of its version."""
    digest, waiting = hashlib.sha256(), [files(__package__).joinpath("static")]
    while waiting:
        for each in sorted(waiting.pop().iterdir(), key=lambda entry: entry.name):
            if each.is_dir():
                waiting.append(each)
            else:
                digest.update(f"{each.name}\0".encode() + each.read_bytes())
    return digest.hexdigest()[:12]


def url(path: str, /, **parameters: Any) -> str:
    """Return an address with parameters; those that are empty or None are left out."""
    given = [(name.rstrip("_"), value) for name, value in parameters.items() if value not in (None, "", False, [])]
    query = urlencode([(name, str(value)) for name, value in given])
    return f"{path}?{query}" if query else path


def here(request: Request) -> str:
    """Return the address of a page itself, for what loads it anew."""
    return f"{request.url.path}?{request.url.query}" if request.url.query else request.url.path
