"""All posts: found by state, source, target, words and time, a page at a time."""

from datetime import date, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

from pydantic import StringConstraints
from starlette.responses import Response

from api.http.values import Given, Words
from api.panel.desk import Asking, Desk
from api.panel.operating import Look, local_moment
from api.panel.routes import screen
from api.post_filter import State
from api.resources.destinations import list_destinations
from api.resources.posts import count_posts, list_posts
from api.resources.sources import list_sources

router = screen()

NAMES = ("state", "source", "target", "q", "since", "until", "cursor", "trail")
STATES = ("pending", "awaiting", "scheduled", "published", "dead", "rejected", "duplicate", "cancelled")
COUNTED = 1000  # to which number the posts in a state are counted
CHOICES = 200  # of sources and targets
LONGEST_TRAIL = 20  # pages that one can go back, one by one


class Wanted(Given):
    """What of the posts somebody looks at."""

    state: State | None
    source_id: UUID | None
    target: Annotated[str, StringConstraints(max_length=300)] | None
    q: Words | None
    since: date | None
    until: date | None


@router.get("/posts")
async def show_posts(desk: Asking) -> Response:
    """Show a page of the posts."""
    look = Look.of(desk, "/posts", NAMES)
    wanted = desk.given(
        Wanted,
        source_id=look["source"] or None,
        **{name: look[name] or None for name in ("state", "target", "q", "since", "until")},
    )
    page = await desk.read(
        list_posts,
        state=wanted.state,
        source_id=wanted.source_id,
        target=wanted.target,
        q=wanted.q,
        begun=True,
        since=_midnight(desk, wanted.since),
        until=_midnight(desk, wanted.until + timedelta(days=1)) if wanted.until else None,
        cursor=look["cursor"],
    )
    return desk.page(
        "posts.html",
        "results",
        look=look,
        page=page,
        previous=_previous(look),
        following=_following(look, page.next),
        states=STATES,
        counted=None,
        **await _choices(desk),
    )


@router.get("/posts/states")
async def show_states(desk: Asking) -> Response:
    """Show how many posts there are in each state."""
    look = Look.of(desk, "/posts", NAMES)
    counts = await desk.read(count_posts, most=COUNTED)
    return desk.page("posts_states.html", "states", look=look, states=STATES, counted=counts)


async def _choices(desk: Desk) -> dict[str, Any]:
    """Return what one can choose from; a part of the page has no need of it, but for the names of what is chosen."""
    sources = await desk.read(list_sources, limit=CHOICES)
    destinations = await desk.read(list_destinations, limit=CHOICES)
    return {
        "sources": sorted(((str(each.id), each.title or each.address) for each in sources.items), key=lambda it: it[1]),
        "targets": sorted((each.address, each.title or each.address) for each in destinations.items),
    }


def _midnight(desk: Desk, day: date | None) -> datetime | None:
    """Return when a day begins on the viewer's clock."""
    return local_moment(desk, day.isoformat()) if day else None


def _following(look: Look, cursor: str | None) -> str | None:
    """Return the address of the next page. What was turned over is kept in it: so one can go back page by page."""
    if cursor is None:
        return None
    trail = [*filter(None, look["trail"].split(".")), look["cursor"] or "-"][-LONGEST_TRAIL:]
    return look.address(cursor=cursor, trail=".".join(trail))


def _previous(look: Look) -> str | None:
    """Return the address of the page before; of those that were turned over too long ago the first one."""
    if not look["cursor"]:
        return None
    *trail, before = filter(None, look["trail"].split(".")) if look["trail"] else ["-"]
    return look.address(cursor=None if before == "-" else before, trail=".".join(trail))
