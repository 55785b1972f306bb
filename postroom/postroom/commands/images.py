"""`postroom images`: images and files of posts."""

import re
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID, uuid4

import typer
from pydantic import Field

from common.events import ImageRequested
from common.media.keeping import Keeper, Kept
from common.media.store import MediaStore, Origin
from common.postgres import Queries
from common.settings import SettingsGroup, load_settings
from postroom.commands.ids import post_id as post_id_of
from postroom.connections import System, connected
from postroom.output import Json, Refused, ago, counted, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="Images and files of posts: list, delete, gc, request.")

CONSUMER = "postroom"
HASH_SHOWN = 12


class Grace(SettingsGroup):
    """How long imagegen keeps an image that no post has."""

    images_grace_seconds: float = Field(default=86_400.0, ge=0)


@app.command("list")
def list_images(
    attached: Annotated[
        bool | None, typer.Option("--attached/--unattached", help="Only those that a post has, or that none has.")
    ] = None,
    generated: Annotated[
        bool | None, typer.Option("--generated/--from-sources", help="Only those that a model made, or that came in.")
    ] = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """List what the object store keeps, the newest first."""

    async def find() -> list[Kept]:
        async with connected() as system:
            origin: Origin | None = None if generated is None else "generated" if generated else "source"
            return await _keeper(system).list(origin=origin, attached=attached, limit=limit)

    found = run(find)
    if as_json:
        print_json([asdict(image) for image in found])
    elif not found:
        typer.echo("No images.")
    else:
        print_table(
            ("Image", "Origin", "Type", "Size", "Pixels", "Stored", "Posts"),
            (
                (image.hash[:HASH_SHOWN], image.origin, image.mime_type, size(image.size_bytes),
                 f"{image.width}x{image.height}" if image.width else "", ago(image.created_at),
                 " ".join(map(str, image.posts)))
                for image in found
            ),
        )  # fmt: skip


@app.command()
def delete(
    image: Annotated[str, typer.Argument(metavar="HASH", help="Its SHA-256, or the beginning of it.")],
    as_json: Json = False,
) -> None:
    """Delete an image that a model made and that no post has."""

    async def work() -> str:
        async with connected() as system:
            digest = await _digest(system, image)
            await _keeper(system).delete(digest, by=person())
            return digest

    digest = run(work)
    if as_json:
        print_json({"deleted": digest})
    else:
        typer.echo(f"Image {digest} is deleted.")


@app.command()
def gc(
    grace: Annotated[
        float | None,
        typer.Option(help="Seconds for which an image that no post has is kept. Default: IMAGES_GRACE_SECONDS.", min=0),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say which images would be deleted.")] = False,
    as_json: Json = False,
) -> None:
    """Delete now what imagegen would delete by and by: images that no post has, and what storing has left over."""

    async def work() -> dict[str, Any]:
        seconds = load_settings(Grace).images_grace_seconds if grace is None else grace
        async with connected() as system:
            if dry_run:
                row = await system.database.fetchrow(_sql()["images_due"], seconds)
                assert row
                return dict(row)
            return asdict(await _keeper(system).gc(seconds, by=person()))

    found = run(work)
    if as_json:
        print_json(found)
    elif dry_run:
        typer.echo(f"{counted(found['images'], 'image')} would be deleted, {size(found['size_bytes'])}.")
    else:
        typer.echo(
            f"{found['unused']} unused and {found['outdated']} outdated images deleted, {size(found['size_bytes'])}; "
            f"{found['orphans']} orphans, {found['fragments']} fragments, {found['finished']} deletions finished."
        )


@app.command()
def request(
    post_id: Annotated[UUID, typer.Argument(parser=post_id_of, metavar="POST_ID", help="The id of a post.")],
    prompt: Annotated[
        str | None, typer.Option(help="What the image is to show. Default: made of what the post says.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Have an image made for a post, whichever rewrite of it is published."""

    async def work() -> str:
        async with connected() as system:
            if await system.database.fetchrow(_sql()["trace_post"], post_id) is None:
                raise Refused(f"there is no post {post_id}")
            with system.rails() as rails:
                event = ImageRequested(post_id=post_id, prompt=prompt or None)
                [emit] = await rails.tell([event], consumer=CONSUMER, cause=f"image/{uuid4()}")
                return emit.id

    request_id = run(work)
    if as_json:
        print_json({"id": request_id})
    else:
        typer.echo(f"An image is asked for: `postroom trace {post_id}` says what comes of it.")


def size(count: int) -> str:
    """Return a size in bytes for people."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count //= 1024
    return f"{count} GiB"


def _keeper(system: System) -> Keeper:
    return Keeper(system.database, MediaStore(system.database, system.stream))


def _sql() -> Queries:
    return Queries.load("postroom", "stack.sql")


async def _digest(system: System, beginning: str) -> str:
    """Return the image whose hash begins like this. Raises Refused."""
    if not re.fullmatch(r"[0-9a-f]{4,64}", beginning.lower()):
        raise Refused(f"{beginning} is no hash of an image: give at least four of its hexadecimal digits")
    rows = await system.database.fetch(_sql()["images_like"], beginning.lower())
    if len(rows) > 1:
        raise Refused(f"{beginning} is the beginning of several images: give more of its digits")
    if not rows:
        raise Refused(f"image {beginning} is not in the store")
    return str(rows[0]["hash"])
