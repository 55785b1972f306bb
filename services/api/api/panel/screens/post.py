"""One post: what happened to it, in order, what was made of it, and what can be done about it."""

import json
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.panel.desk import Asking, Desk
from api.panel.prose import safe_address
from api.panel.routes import screen
from api.panel.screens.post_view import Texts, days, destinations, differ, precise, summary, time_of, under_way
from api.resources.destinations import list_destinations
from api.resources.post_decisions import PublishOrder, cancel_post, publish_post, retry_post
from api.resources.post_records import get_post_timeline, list_post_events
from api.resources.posts import get_post
from api.resources.routes import list_routes
from api.resources.sources import get_source

router = screen()

CHOICES = 200


@router.get("/posts/{post_id}")
async def show_post(desk: Asking, post_id: UUID, every: bool = False, changes: bool = True) -> Response:
    """Show a post."""
    return await _post(desk, post_id, every=every, changes=changes)


@router.get("/posts/{post_id}/raw")
async def show_events(desk: Asking, post_id: UUID) -> Response:
    """Show the events that a post was made of, as they were sent."""
    found = await desk.read(list_post_events, post_id=post_id)
    shown = [(each, json.dumps(each.payload, ensure_ascii=False, indent=2)) for each in found.items]
    return desk.page("post_raw.html", "raw", post_id=post_id, found=found, shown=shown, path="/posts")


@router.post("/posts/{post_id}/publish")
async def publish(desk: Asking, post_id: UUID) -> Response:
    """Publish it at chosen destinations."""
    form = await desk.form()
    order = desk.given(PublishOrder, targets=await desk.chosen("target"), rewrite_id=form.get("rewrite_id") or None)
    await desk.act(publish_post, post_id=post_id, order=order)
    number = len(order.targets)
    said = desk.ngettext("It goes out to %(num)s destination", "It goes out to %(num)s destinations", number)
    return await _done(desk, post_id, said)


@router.post("/posts/{post_id}/cancel")
async def cancel(desk: Asking, post_id: UUID) -> Response:
    """Call off what is queued of it."""
    off = await desk.act(cancel_post, post_id=post_id)
    return await _done(desk, post_id, desk.gettext("Called off: %(what)s", what=", ".join(off.destinations)))


@router.post("/posts/{post_id}/retry")
async def retry(desk: Asking, post_id: UUID) -> Response:
    """Try again what of it failed."""
    await desk.act(retry_post, post_id=post_id)
    return await _done(desk, post_id, desk.gettext("It is tried again"))


async def _done(desk: Desk, post_id: UUID, said: str) -> Response:
    if not desk.by_htmx:
        return desk.redirect(f"/posts/{post_id}")
    desk.toast(said)
    return await _post(desk, post_id)


async def _post(desk: Desk, post_id: UUID, *, every: bool = False, changes: bool = True) -> Response:
    post = await desk.read(get_post, post_id=post_id)
    happened = (await desk.read(get_post_timeline, post_id=post_id)).items
    source = await desk.read(get_source, source_id=post.source_id) if post.source_id else None
    shown: dict[str, Any] = {
        "post": post,
        "source": source,
        "summary": summary(post, happened),
        "under_way": under_way(post),
        "places": destinations(post),
        "days": days(happened, every=every, local=desk.viewer.zone),
        "texts": Texts.of(post),
        "every": every,
        "changes": changes,
        "routes": {each.id: each.name for each in (await desk.read(list_routes, limit=CHOICES)).items},
        "targets": [],
        "outside": safe_address,
        "time_of": time_of,
        "differ": differ,
        "duration_of": lambda seconds: precise(desk, seconds),
    }
    if desk.may("write"):
        known = (await desk.read(list_destinations, limit=CHOICES)).items
        titles = {each.address: each.title for each in known}
        wanted = {target for routing in post.routings for target in routing.targets}
        shown["targets"] = sorted((address, titles.get(address, "")) for address in titles.keys() | wanted)
    page = f"/posts/{post_id}"
    return desk.page("post.html", "post", address=page, **shown)
