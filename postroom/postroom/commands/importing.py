"""`postroom import`: posts from a file."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Annotated, Any

import typer

from common.catalog import TARGET, Catalog
from common.events import PostCollected
from common.imports import ImportFailed, read_posts
from common.posts import NewPost, Posts
from postroom.connections import connected
from postroom.output import Json, Refused, print_json, run
from postroom.person import person

CONSUMER = "postroom"
PAGE = 200


def import_file(
    file: Annotated[
        Path, typer.Argument(help="Telegram Desktop's result.json, or JSONL.", exists=True, dir_okay=False)
    ],
    name: Annotated[str | None, typer.Option(help="The name of the source. Default: the file's name.")] = None,
    to: Annotated[list[str] | None, typer.Option(help="Publish to this target, such as telegram:@channel.")] = None,
    profile: Annotated[str, typer.Option(help="The rewrite profile to use with --to.")] = "newsroom",
    as_json: Json = False,
) -> None:
    """Bring in the posts of a file, as if they had been collected. Importing a file again adds nothing twice."""
    for target in to or []:
        if not re.fullmatch(TARGET, target):
            raise typer.BadParameter(f"{target} is not platform:address, such as telegram:@channel", param_hint="--to")
    counts = run(lambda: _import(file, name or file.stem, to or [], profile))
    if as_json:
        print_json(counts)
    else:
        typer.echo(", ".join(f"{count} {what}" for what, count in counts.items()))


async def _import(file: Path, name: str, targets: list[str], profile: str) -> dict[str, int]:
    counts = {"added": 0, "duplicates": 0, "there before": 0}
    async with connected() as system:
        source_id = await _source(Catalog(system.database), name, targets, profile)
        posts = Posts(system.database)
        try:
            with system.rails() as rails:
                for page in _pages(read_posts(file, source_id)):
                    brought = await posts.add(page)
                    for each in brought:
                        what = "there before" if not each.added else "duplicates" if each.duplicate_of else "added"
                        counts[what] += 1
                    fresh = [each.post_id for each in brought if each.duplicate_of is None]
                    events = [PostCollected(post_id=post, source_id=source_id) for post in fresh]
                    await rails.tell(events, consumer=CONSUMER, cause="import")
        except ImportFailed as error:
            raise Refused(
                f"{error} ({counts['added']} posts were added before that; importing again is safe)"
            ) from None
    return counts


async def _source(catalog: Catalog, name: str, targets: list[str], profile: str) -> Any:
    source_id = await catalog.put_source("import", name, title=name)
    if targets:
        profile_id = await catalog.profile_named(profile)
        if profile_id is None:
            profile_id = await catalog.put_profile(profile, by=person())
        await catalog.put_route(f"{name} (import)", source_id=source_id, profile_id=profile_id, targets=targets)
    elif not await catalog.routes_of(source_id):
        raise Refused(f"no route takes posts of {name}: say where they go, for example --to telegram:@channel")
    return source_id


def _pages(posts: Iterable[NewPost]) -> Iterator[list[NewPost]]:
    """Yield posts by the page; where one can't be read, those before it still come."""
    page: list[NewPost] = []
    try:
        for post in posts:
            page.append(post)
            if len(page) == PAGE:
                yield page
                page = []
    except ImportFailed:
        yield page
        raise
    yield page
