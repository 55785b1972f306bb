"""Images: what the object store holds."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, suppress
from typing import Annotated, BinaryIO, Literal
from uuid import UUID

from fastapi import Path, Query, Response
from fastapi.responses import StreamingResponse
from pydantic import Field

from api.http.calls import Call, Calling, found
from api.http.etags import unchanged
from api.http.paging import Page, Paged
from api.http.routes import resource
from api.http.values import Answer, Moment, Utc
from api.statements import statement
from common.media.keeping import Keeper
from common.media.store import StoreUnavailable
from common.postgres import UNREACHABLE

router = resource("images")

Hash = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256 of the content")]
Origin = Literal["source", "generated"]
# A browser may show these; everything else, SVG and HTML above all, it only saves.
SHOWN = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
READ_BYTES = 2**18


class Attached(Answer):
    """A place of a post at which an image is: source/1, rewrite/<id>, post, publication/<id>/1, broadcast/<id>/1."""

    post_id: UUID
    title: str = Field(description="of the post; where it has none, how its text begins")
    place: str
    attached_at: Utc


class Drawing(Answer):
    """What a model made an image from, and for."""

    post_id: UUID
    rewrite_id: UUID | None
    prompt: str
    model: str
    size: str
    cost_usd: float
    seconds: float = Field(description="of the last call")
    attempts: int
    created_at: Utc


class Image(Answer):
    """An image or another file of posts. Width and height are in pixels, null where it is no picture."""

    hash: str
    origin: Origin
    mime_type: str
    size_bytes: int
    width: int | None
    height: int | None
    created_at: Utc
    last_used_at: Utc
    posts: list[UUID] = Field(description="those that have it, 100 at most")
    attached_to: list[Attached] = Field(description="where it is attached, the newest 10")
    illustration: Drawing | None = Field(description="what a model made it from; null where none did")


@router.get("")
async def list_images(
    page: Paged,
    origin: Origin | None = None,
    attached: bool | None = None,
    since: Annotated[Moment | None, Query(description="stored from then on")] = None,
    until: Annotated[Moment | None, Query(description="stored before then")] = None,
) -> Page[Image]:
    """List images."""
    return await page.of(Image, statement("records", "list_images"), origin, attached, since, until)


@router.get("/{hash}")
async def get_image(hash: Hash, call: Calling) -> Image:  # noqa: A002 - the word of the API
    """Read what is known of an image."""
    return call.tagged(await _image(call, hash))


@router.get(
    "/{hash}/content",
    response_class=StreamingResponse,
    responses={200: {"content": {"*/*": {"schema": {"type": "string", "format": "binary"}}}}, 304: {}},
)
async def get_image_content(hash: Hash, call: Calling) -> Response:  # noqa: A002
    """Read the image itself."""
    image = await _image(call, hash)
    headers = {"ETag": f'"{hash}"', "Cache-Control": "private, max-age=31536000, immutable"}
    if unchanged(call.request.headers.get("if-none-match"), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    shown = image.mime_type in SHOWN
    name = f"{hash[:16]}.{SHOWN.get(image.mime_type, 'bin')}"
    headers |= {
        "Content-Length": str(image.size_bytes),
        "Content-Disposition": f'{"inline" if shown else "attachment"}; filename="{name}"',
        "Content-Security-Policy": "default-src 'none'; sandbox",
    }
    async with AsyncExitStack() as opening:
        file = await opening.enter_async_context(call.system.media.open(hash))
        chunks = _chunks(file, opening.pop_all())
    return StreamingResponse(chunks, 200, headers, image.mime_type if shown else "application/octet-stream")


@router.delete("/{hash}", status_code=204)
async def delete_image(hash: Hash, call: Calling) -> None:  # noqa: A002
    """Delete an image that a model made and no post has."""
    call.changing(await _image(call, hash))
    deletion = await Keeper(call.database, call.system.media).give_up(hash, by=call.actor)

    async def finish() -> None:
        # After the commit: an object that is gone does not come back with a rollback, and nothing waits for another
        # connection while it holds one. Where it does not succeed, a sweep does it.
        with suppress(StoreUnavailable, *UNREACHABLE):
            await Keeper(call.system.database, call.system.media).finish(deletion)

    call.afterwards = finish


async def _image(call: Call, digest: str) -> Image:
    row = await call.database.fetchrow(statement("records", "get_image"), digest)
    return found(Image(**dict(row)) if row else None, "image")


async def _chunks(file: BinaryIO, opening: AsyncExitStack) -> AsyncIterator[bytes]:
    async with opening:
        while chunk := file.read(READ_BYTES):
            yield chunk
