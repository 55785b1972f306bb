"""The inbox: posts that wait for a person's decision, that wait for their time, and that were rejected."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Literal
from uuid import UUID

import asyncpg
from pydantic import Field

from api.http.calls import Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.statements import statement
from common.catalog import Catalog
from common.media.items import MediaItem
from common.planning.limits import Fit, check
from common.planning.refusals import NoTarget
from common.planning.slots import Slots, SlotTaker
from common.planning.targets import platform_named, platform_of
from common.telegram.text import RichText

router = resource("inbox")

Tab = Literal["awaiting", "scheduled", "rejected"]
STATEMENTS = {"awaiting": "list_held", "scheduled": "list_planned", "rejected": "list_rejected"}
MOST_COUNTED = 1000
LONGEST_TITLE = 160
SOME_IMAGE = (MediaItem("photo", url="some:"),)


class NetworkFit(Answer):
    """How long a post is for a platform that it goes to, in the platform's units."""

    platform: str
    count: int
    limit: int
    fits: bool
    note: str = Field(description="what stands in the way, or follows")


class InboxItem(Answer):
    """A post in the inbox, as the route has it that decided last, or as it goes out next."""

    id: UUID = Field(description="of the post")
    source_id: UUID | None
    source: str = Field(description="the source's title, or its address")
    address: str
    title: str = Field(description="of the newest edit or rewrite, or the first line of its text")
    collected_at: Utc
    at: Utc = Field(description="since when it waits, when it goes out, or when it was rejected")
    decision: str = Field(description="hold, rewrite (it is being rewritten), schedule or reject")
    reason: str
    decided_by: str | None
    edited_by: str | None
    route_id: UUID | None
    rewrite_id: UUID | None
    routes: int = Field(description="how many routes hold it")
    targets: list[str]
    fits: list[NetworkFit] = Field(description="for each of its platforms")
    has_image: bool
    expires_at: Utc | None = Field(description="when it is rejected, if nobody decides")
    rewrite_failed: bool = Field(description="it was to be rewritten again, and that failed")


class InboxCounts(Answer):
    """How many there are of each kind; each is counted up to `most`."""

    awaiting: int
    scheduled: int
    rejected: int
    most: int


class Outlook(Answer):
    """When what a route holds would go out to a target, if it were approved now."""

    target: str
    at: Utc | None = Field(description="the next free slot; null: at once, or where `full` when one is free")
    full: bool = Field(description="no slot is free within a year")


@router.get("")
async def list_inbox(page: Paged, tab: Tab = "awaiting", post_id: UUID | None = None) -> Page[InboxItem]:
    """List what waits for a decision, the latest first; what waits for its time, the next first; what was rejected."""
    return await page.of(InboxItem, statement("inbox", STATEMENTS[tab]), post_id, read=_item)


@router.get("/counts")
async def count_inbox(call: Calling) -> InboxCounts:
    """Count what waits for a decision, what waits for its time, and what was rejected."""
    row = await call.database.fetchrow(statement("inbox", "counts"), MOST_COUNTED)
    return InboxCounts(**dict(row or {}), most=MOST_COUNTED)


@router.get("/outlook")
async def get_outlook(post_id: UUID, route_id: UUID, call: Calling) -> list[Outlook]:
    """Say when what a route holds of a post would go out, if it were approved now."""
    row = await call.database.fetchrow(statement("inbox", "targets"), post_id, route_id)
    targets = dict.fromkeys(found_targets(row))
    route = await Catalog(call.database).route(route_id)
    if route is None or route.slots is None:
        return [Outlook(target=target, at=None, full=False) for target in targets]
    slots, taker, now = Slots.model_validate(route.slots), SlotTaker(call.database), datetime.now(UTC)
    outlooks = []
    for target in targets:
        at = await taker.find(slots, target, now=now)
        outlooks.append(Outlook(target=target, at=at, full=at is None))
    return outlooks


def found_targets(row: asyncpg.Record | None) -> list[str]:
    """Return the targets of a routing. Raises a problem where there is none."""
    if row is None:
        raise Problem("not-found", "no route has decided about this post")
    targets: list[str] = row["targets"]
    return targets


def title_of(text: str, *titles: str | None) -> str:
    """Return what a post is called in a list: a title that it has, else the first line of its text."""
    lines = (line.strip() for line in (*(title or "" for title in titles), *text.splitlines()))
    found = next((line for line in lines if line), "")
    return found if len(found) <= LONGEST_TITLE else found[: LONGEST_TITLE - 1].rstrip() + "…"


def fit_of(platform: str, body: RichText, *, media: bool) -> Fit:
    """Measure a text for a platform. Raises NoTarget. The same text is measured once."""
    return _fit(platform, body, SOME_IMAGE if media else ())


@lru_cache(maxsize=4096)
def _fit(platform: str, body: RichText, media: tuple[MediaItem, ...]) -> Fit:
    return check(platform, body, media)


def _item(row: asyncpg.Record) -> InboxItem:
    values: dict[str, Any] = dict(row)
    body = RichText.from_json({"text": values.pop("text") or "", "entities": values.pop("entities") or []})
    titles = values.pop("edit_title"), values.pop("rewrite_title"), values.pop("original_title")
    # What a person wrote begins with its own title, which the model's may not fit any more.
    edited = values["edited_by"] is not None and not titles[0]
    title = title_of(body.text) if edited else title_of(body.text, *titles)
    return InboxItem(**values, title=title, fits=_fits(values["targets"], body, media=values["has_image"]))


def _fits(targets: list[str], body: RichText, *, media: bool) -> list[NetworkFit]:
    found = []
    for platform in dict.fromkeys(platform_of(target) for target in targets):
        try:
            name = platform_named(platform)
            fit = fit_of(name, body, media=media)
        except NoTarget:
            continue
        found.append(NetworkFit(platform=name, count=fit.count, limit=fit.limit, fits=fit.fits, note=fit.note))
    return found
