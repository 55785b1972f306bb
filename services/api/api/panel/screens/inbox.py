"""The Inbox: what waits for a person, one post after another."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, get_args
from uuid import UUID

from fastapi import Depends
from starlette.responses import Response

from api.edit import EditedText
from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.previews import NETWORKS
from api.panel.routes import screen
from api.panel.standing import WAITING, Standing, standing_of
from api.resources.images import get_image_content
from api.resources.inbox import InboxItem, Outlook, Tab, count_inbox, get_outlook, list_inbox
from api.resources.post_decisions import (
    AnotherRewrite,
    Approval,
    Reopening,
    Verdict,
    approve_post,
    reject_post,
    reopen_post,
    rewrite_post,
)
from api.resources.posts import edit_post, get_post
from api.resources.profiles import get_profile
from api.resources.routes import get_route
from api.resources.sources import get_source
from common.planning.wall_clock import wall_time
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText

router = screen()

TABS = get_args(Tab)
TOO_LATE = ("conflict", "precondition-failed")


@dataclass(frozen=True, slots=True)
class Looking:
    """What of the inbox somebody looks at, as it stands in the address."""

    tab: Tab = "awaiting"
    route: UUID | None = None
    network: str = ""
    marks: bool = True
    edit: bool = False

    def address(self, path: str, **given: Any) -> str:
        """Return an address that keeps what is looked at, but for what is given."""
        shown = {
            "tab": self.tab if self.tab != "awaiting" else "",
            "route": self.route,
            "network": self.network,
            "marks": "" if self.marks else "0",
            **given,
        }
        return url(path, **shown)


def _looking(tab: str = "", route: str = "", network: str = "", marks: str = "1", edit: str = "") -> Looking:
    return Looking(
        tab if tab in TABS else "awaiting",  # type: ignore[arg-type] # it is one of them
        _uuid(route),
        network if network in NETWORKS else "",
        marks != "0",
        edit == "1",
    )


Look = Annotated[Looking, Depends(_looking)]


@router.get("/inbox")
async def show_inbox(desk: Asking, look: Look, cursor: str = "") -> Response:
    """Show what waits, and the first post of it."""
    listed = await _listed(desk, look, cursor)
    first = listed["items"][0].id if listed["items"] else None
    return await _shown(desk, look, first, listed=listed, chosen=False)


@router.get("/inbox/news")
async def tell_news(desk: Asking, look: Look, newest: datetime | None = None) -> Response:
    """Say how many posts came since the list was drawn. The list itself stays as it is."""
    page = await desk.read(list_inbox, tab=look.tab, limit=50)
    came = sum(newest is None or item.at > newest for item in page.items) if look.tab != "scheduled" else 0
    numbers = await desk.read(count_inbox)
    return desk.page("inbox.html", "news", look=look, came=came, newest=newest, numbers=numbers)


@router.get("/inbox/media/{digest}")
async def show_picture(desk: Asking, digest: str) -> Response:
    """Answer a picture of a post."""
    return await desk.read(get_image_content, hash=digest)


@router.get("/inbox/{post_id}")
async def show_post(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Show a post beside the list; for htmx only the post."""
    return await _shown(desk, look, post_id)


@router.get("/inbox/{post_id}/row")
async def show_row(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Show the row of a post: as it waits, or what was decided meanwhile."""
    page = await desk.read(list_inbox, tab=look.tab, post_id=post_id, limit=1)
    standing = standing_of(await desk.read(get_post, post_id=post_id)) if not page.items else None
    item = page.items[0] if page.items else None
    return desk.page("inbox_row.html", "row", look=look, item=item, standing=standing, post_id=post_id)


@router.post("/inbox/{post_id}/preview")
async def preview_text(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Show what a network would get of what is being typed."""
    form = await desk.form()
    look = _looking(look.tab, str(look.route or ""), form.get("network") or look.network, "1", "1")
    values = await _post(desk, look, post_id, text=form.get("text", ""))
    return desk.page("inbox.html", "preview", **values)


@router.post("/inbox/{post_id}/text")
async def save_text(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Write another text in the place of a post's. Where somebody else has meanwhile, both are shown."""
    form, _ = await desk.form(), desk.gettext
    text = form.get("text", "")
    standing = standing_of(await desk.read(get_post, post_id=post_id), look.route)
    if standing.markdown != form.get("was", ""):  # only another text is another version: a job that ended is none
        return await _editing(desk, look, post_id, text, theirs=standing)
    if text.strip() == standing.markdown.strip():
        return await _shown(desk, look, post_id)
    rewrite_id = standing.rewrite.id if standing.rewrite else None
    try:
        change = desk.given(EditedText, text=text, rewrite_id=rewrite_id)
        await desk.act(edit_post, post_id=post_id, change=change, if_match=desk.etag(standing.post))
    except Problem as problem:
        if problem.kind == "precondition-failed":
            theirs = standing_of(await desk.read(get_post, post_id=post_id), look.route)
            if theirs.markdown != form.get("was", ""):
                return await _editing(desk, look, post_id, text, theirs=theirs)
            await desk.act(edit_post, post_id=post_id, change=change, if_match=desk.etag(theirs.post))
        elif problem.kind in ("invalid", "conflict"):
            return await _editing(desk, look, post_id, text, wrong=_details(problem))
        else:
            raise
    desk.toast(_("Saved"))
    return await _shown(desk, look, post_id)


@router.post("/inbox/{post_id}/approve")
async def approve(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Let a post go out: at once, at the next slot, or at a chosen time."""
    form, _ = await desk.form(), desk.gettext
    at = _moment(desk, form.get("at", "")) if form.get("at") else None
    if form.get("at") and at is None:
        raise Problem("invalid", _("the time can't be read"))
    title = await _title(desk, post_id, look)
    try:
        verdict = desk.given(Approval, route_id=look.route, at=at)
        approved = await desk.act(approve_post, post_id=post_id, verdict=verdict)
    except Problem as problem:
        return await _refused(desk, look, post_id, problem)
    said = _("Scheduled") if approved.scheduled_ids else _("Approved")
    return await _went_on(desk, look, post_id, form, said, title)


@router.post("/inbox/{post_id}/reject")
async def reject(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Never publish a post."""
    form, _ = await desk.form(), desk.gettext
    title = await _title(desk, post_id, look)
    try:
        verdict = desk.given(Verdict, route_id=look.route, reason=form.get("reason", "").strip())
        await desk.act(reject_post, post_id=post_id, verdict=verdict)
    except Problem as problem:
        return await _refused(desk, look, post_id, problem)
    return await _went_on(desk, look, post_id, form, _("Rejected"), title)


@router.post("/inbox/{post_id}/rewrite")
async def rewrite(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Have a post rewritten again, by a remark."""
    form, _ = await desk.form(), desk.gettext
    try:
        wish = desk.given(AnotherRewrite, route_id=look.route, remark=form.get("remark", ""))
        await desk.act(rewrite_post, post_id=post_id, wish=wish)
    except Problem as problem:
        return await _refused(desk, look, post_id, problem)
    desk.toast(_("It is being rewritten"), undo=look.address(f"/inbox/{post_id}/undo"))
    return await _shown(desk, look, post_id)


@router.post("/inbox/{post_id}/undo")
async def undo(desk: Asking, post_id: UUID, look: Look) -> Response:
    """Take back what was decided about a post, where that can still be done; else say why not."""
    _ = desk.gettext
    try:
        await desk.act(reopen_post, post_id=post_id, wish=desk.given(Reopening, route_id=look.route))
    except Problem as problem:
        if problem.kind != "conflict":
            raise
        raise Problem("conflict", _("Too late to take it back: %(why)s", why=problem)) from None
    return desk.redirect(look.address(f"/inbox/{post_id}", tab="", network=""))


async def _shown(
    desk: Desk,
    look: Looking,
    post_id: UUID | None,
    *,
    listed: Mapping[str, Any] | None = None,
    chosen: bool = True,
    **more: Any,
) -> Response:
    """Answer a post, with the list around it where a whole page is wanted."""
    values: dict[str, Any] = {"look": look, "chosen": chosen, "tabs": TABS, "standing": None}
    if post_id:
        values |= await _post(desk, look, post_id, **more)
    if desk.by_htmx:
        return desk.page("inbox.html", "post", **values)
    values |= listed or await _listed(desk, look)
    values |= _neighbours(values["items"], post_id)
    return desk.page("inbox.html", None, **values)


async def _listed(desk: Desk, look: Looking, cursor: str = "") -> dict[str, Any]:
    page = await desk.read(list_inbox, tab=look.tab, limit=50, cursor=cursor)
    return {
        "items": page.items,
        "following": page.next,
        "cursor": cursor,
        "numbers": await desk.read(count_inbox),
        "newest": max((item.at for item in page.items), default=None),
        "came": 0,
    }


async def _post(
    desk: Desk,
    look: Looking,
    post_id: UUID,
    *,
    text: str | None = None,
    theirs: Standing | None = None,
    wrong: str = "",
) -> dict[str, Any]:
    """Return what the post's side of the desk shows; `text` is what somebody is typing."""
    standing = standing_of(await desk.read(get_post, post_id=post_id), look.route)
    editing = look.edit and standing.waits and desk.may("write")
    body: RichText | None = from_markdown(text) if text is not None else None
    network = look.network or standing.networks()[0]
    original, rewritten = standing.columns(marked=look.marks)
    routing, post = standing.routing, standing.post
    return {
        "look": look,
        "standing": standing,
        "post": post,
        "source": await _known(desk, get_source, source_id=post.source_id),
        "profile": await _known(desk, get_profile, profile_id=standing.rewrite and standing.rewrite.profile_id),
        "outlooks": await _outlooks(desk, standing),
        "routes": {each.route_id: await _known(desk, get_route, route_id=each.route_id) for each in standing.others},
        "route_id": routing.route_id if routing else None,
        "original": original,
        "rewritten": rewritten,
        "networks": NETWORKS,
        "network": network,
        "shown": standing.preview(network, body),
        "previews": {name: standing.preview(name, body) for name in standing.networks()},
        "targets": standing.targets(body),
        "editing": editing,
        "text": standing.markdown if text is None else text,
        "was": theirs.markdown if theirs else standing.markdown,
        "theirs": theirs,
        "wrong": wrong,
        "zone": desk.viewer.zone.key,
        "soon": datetime.now(UTC) + timedelta(hours=1),
        "before": None,
        "after": None,
    }


async def _editing(
    desk: Desk, look: Looking, post_id: UUID, text: str, *, theirs: Standing | None = None, wrong: str = ""
) -> Response:
    """Show the editor again with what was typed."""
    look = _looking(look.tab, str(look.route or ""), look.network, "1" if look.marks else "0", "1")
    return await _shown(desk, look, post_id, text=text, theirs=theirs, wrong=wrong)


async def _went_on(
    desk: Desk, look: Looking, post_id: UUID, form: Mapping[str, str], said: str, title: str
) -> Response:
    """Say what was done, with the way back, and show the next post."""
    desk.toast(said, detail=title, undo=look.address(f"/inbox/{post_id}/undo"))
    following = _uuid(form.get("next", ""))
    look = _looking(look.tab, "", look.network, "1" if look.marks else "0")
    if not desk.by_htmx:
        return desk.redirect(look.address(f"/inbox/{following}" if following else "/inbox"))
    if following is None:
        page = await desk.read(list_inbox, tab=look.tab, limit=1)
        following = page.items[0].id if page.items else None
    response = await _shown(desk, look, following)
    response.headers["HX-Push-Url"] = look.address(f"/inbox/{following}" if following else "/inbox")
    return response


async def _refused(desk: Desk, look: Looking, post_id: UUID, problem: Problem) -> Response:
    """Show the post as somebody else has decided about it, and say so."""
    if problem.kind != "conflict":
        raise problem
    standing = standing_of(await desk.read(get_post, post_id=post_id), look.route)
    if standing.decision in WAITING or not standing.routing:
        raise problem
    _ = desk.gettext
    by = standing.routing.decided_by
    desk.toast(_("Decided already by %(who)s", who=whose(by)) if by else _("Decided already"), bad=True)
    return await _shown(desk, look, post_id)


async def _outlooks(desk: Desk, standing: Standing) -> Sequence[Outlook]:
    if not standing.waits or not standing.routing:
        return ()
    return await desk.read(get_outlook, post_id=standing.post.id, route_id=standing.routing.route_id)


async def _known(desk: Desk, endpoint: Any, **key: Any) -> Any:
    """Return what an endpoint knows, or None where there is none any more."""
    if not all(key.values()):
        return None
    try:
        return await desk.read(endpoint, **key)
    except Problem as problem:
        if problem.kind != "not-found":
            raise
        return None


async def _title(desk: Desk, post_id: UUID, look: Looking) -> str:
    return standing_of(await desk.read(get_post, post_id=post_id), look.route).title


def whose(actor: str) -> str:
    """Return who did something, without what kind of caller it was."""
    return actor.partition(":")[2] or actor


def _neighbours(items: Sequence[InboxItem], post_id: UUID | None) -> dict[str, UUID | None]:
    ids = [item.id for item in items]
    if post_id not in ids:
        return {"before": None, "after": ids[0] if ids else None}
    at = ids.index(post_id)
    return {"before": ids[at - 1] if at else None, "after": ids[at + 1] if at + 1 < len(ids) else None}


def _moment(desk: Desk, given: str) -> datetime | None:
    """Return what a person's clock says, as a time field writes it."""
    try:
        local = datetime.fromisoformat(given)
    except ValueError:
        return None
    return wall_time(local.date(), local.time(), desk.viewer.zone).at


def _details(problem: Problem) -> str:
    return "; ".join(each["detail"] for each in problem.errors) or str(problem)


def _uuid(given: str) -> UUID | None:
    try:
        return UUID(given) if given else None
    except ValueError:
        return None
