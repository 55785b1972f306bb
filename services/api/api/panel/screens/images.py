"""Images: what the store holds, what each is attached to, and deleting what nothing has."""

import json
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import Depends
from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.routes import screen
from api.panel.thumbnails import Thumbnails
from api.resources.images import SHOWN, Image, delete_image, get_image, get_image_content, list_images
from api.resources.operations import BulkOperation, NewOperation, get_operation, start_operation
from common.media.pictures import NotAPicture

router = screen()

PAGE = 40
KIND = "images.delete"
FOREVER = {"Cache-Control": "private, max-age=31536000, immutable"}
ORIGINS: dict[str, Literal["generated", "source"]] = {"generated": "generated", "collected": "source"}
ATTACHED = {"attached": True, "unattached": False}


@dataclass(frozen=True, slots=True)
class Looking:
    """Which images somebody looks at, as it stands in the address. Days are those of their zone, both included."""

    origin: str
    attached: str
    since: date | None
    until: date | None

    def address(self, path: str = "/images", /, **given: Any) -> str:
        """Return the address that shows these, but for what is given."""
        shown = {"origin": self.origin, "attached": self.attached, "since": self.since, "until": self.until}
        return url(path, **shown | given)

    def times(self, desk: Desk) -> dict[str, datetime | None]:
        """Return the two moments between which these were stored."""
        day = timedelta(days=1)
        return {"since": _begin(desk, self.since), "until": _begin(desk, self.until and self.until + day)}

    @property
    def narrowed(self) -> bool:
        """Whether it is less than all."""
        return bool(self.origin or self.attached or self.since or self.until)


def _looking(origin: str = "", attached: str = "", since: str = "", until: str = "") -> Looking:
    return Looking(
        origin if origin in ORIGINS else "", attached if attached in ATTACHED else "", _day(since), _day(until)
    )


Look = Annotated[Looking, Depends(_looking)]


@router.get("/images")
async def show_images(desk: Asking, look: Look, after: str = "", operation: UUID | None = None) -> Response:
    """Show a page of images."""
    running = await desk.read(get_operation, operation_id=operation) if operation else None
    return await _gallery(desk, look, after, running)


@router.get("/images/{digest}")
async def show_image(desk: Asking, digest: str) -> Response:
    """Show one image with all that is known of it."""
    image = await _image(desk, digest)
    return desk.page("image.html", "image", image=image, shown=image.mime_type in SHOWN, deletable=_deletable(image))


@router.get("/images/{digest}/small")
async def show_small(desk: Asking, digest: str) -> Response:
    """Answer a small picture of an image."""
    if desk.request.headers.get("if-none-match") == f'"{digest}"':
        return Response(status_code=304)
    image = await _image(desk, digest)
    thumbnails: Thumbnails = desk.request.app.state.thumbnails
    try:
        content = await thumbnails.of(desk.system.media, image.hash)
    except NotAPicture as error:
        raise Problem("not-found", str(error)) from None
    return Response(content, media_type="image/jpeg", headers={**FOREVER, "ETag": f'"{digest}"'})


@router.get("/images/{digest}/content")
async def show_content(desk: Asking, digest: str) -> Response:
    """Answer an image itself."""
    await _image(desk, digest)
    return await desk.read(get_image_content, hash=digest)


@router.post("/images/{digest}/delete")
async def delete(desk: Asking, digest: str) -> Response:
    """Delete one image that nothing has."""
    await desk.act(delete_image, hash=digest)
    return desk.redirect("/images")


@router.post("/images/delete")
async def delete_many(desk: Asking, look: Look) -> Response:
    """Count the images that were chosen, or all that match and nothing has; delete them once that is confirmed."""
    form = await desk.form()
    wanted: dict[str, Any] = (
        {"hashes": await desk.chosen("hashes")} if form.get("which") == "chosen" else _filter(desk, look)
    )
    if form.get("sure") != "yes":
        matching = await _count(desk, wanted)
        shown: dict[str, Any] = {"look": look, "wanted": wanted, "which": form.get("which"), "matching": matching}
        return desk.page("images_delete.html", "sure", **shown, in_page=desk.by_htmx)
    given = NewOperation(kind=KIND, filter=wanted, reason="panel")
    started = await desk.act(start_operation, given=given)
    address = look.address(operation=started.id)
    return desk.redirect(address)


async def _gallery(desk: Desk, look: Looking, after: str, running: BulkOperation | None) -> Response:
    origin, attached = ORIGINS.get(look.origin), ATTACHED.get(look.attached)
    page = await desk.read(list_images, origin=origin, attached=attached, **look.times(desk), limit=PAGE, cursor=after)
    return desk.page(
        "images.html",
        "images",
        look=look,
        images=[(image, image.mime_type in SHOWN, _deletable(image)) for image in page.items],
        following=page.next,
        after=after,
        running=running,
        deletable=attached is not True and origin != "source" and bool(page.items),
    )


async def _count(desk: Desk, wanted: dict[str, Any]) -> int:
    answer: Any = await desk.act(start_operation, given=NewOperation(kind=KIND, filter=wanted, dry_run=True))
    return int(json.loads(answer.body)["matching"])


async def _image(desk: Desk, digest: str) -> Image:
    if len(digest) != 64 or set(digest) - set("0123456789abcdef"):
        raise Problem("not-found", "there is no such image")
    return await desk.read(get_image, hash=digest)


def _deletable(image: Image) -> bool:
    return image.origin == "generated" and not image.posts


def _filter(desk: Desk, look: Looking) -> dict[str, Any]:
    """Return what `images.delete` is to look at: what is shown, of which it takes only what nothing has."""
    return {name: moment.isoformat() for name, moment in look.times(desk).items() if moment}


def _begin(desk: Desk, day: date | None) -> datetime | None:
    return datetime.combine(day, time(), desk.viewer.zone) if day else None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
