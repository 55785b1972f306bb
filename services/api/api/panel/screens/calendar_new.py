"""A post that is planned from the calendar: written by hand, or by the model from a brief."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.previews import Preview, preview
from api.panel.routes import screen
from api.panel.viewer import Viewer
from api.resources.contents import NewContent, create_content, delete_content
from api.resources.destinations import list_destinations
from api.resources.profiles import list_profiles
from api.resources.scheduled_posts import NewScheduledPost, cancel_scheduled_post, create_scheduled_post
from common.planning.targets import PLATFORMS, platform_of
from common.planning.wall_clock import WallTime, wall_time
from common.telegram.markdown import from_markdown
from common.telegram.utf16 import storable

router = screen()

MOST = 200  # destinations and profiles that the form offers
LONGEST_TITLE = 200
LONGEST_TEXT = 20_000


@dataclass
class PostForm:
    """The fields, as they are typed, and what is wrong with them."""

    how: str = "text"  # or brief
    text: str = ""
    title: str = ""
    description: str = ""
    profile: str = ""
    illustrate: bool = False
    targets: Sequence[str] = ()
    day: str = ""
    time: str = ""
    fold: str = "0"
    problems: Sequence[str] = field(default_factory=list)

    @classmethod
    async def sent(cls, desk: Desk) -> "PostForm":
        """Return the form as a browser has sent it."""
        fields = await desk.form()
        names = ("how", "text", "title", "description", "profile", "day", "time", "fold")
        given = {name: storable(fields[name]) for name in names if name in fields}
        return cls(**given, illustrate="illustrate" in fields, targets=await desk.chosen("targets"))

    def meant(self, viewer: Viewer) -> WallTime | None:
        """Return the time that is meant; None where none is given."""
        try:
            day, clock = date.fromisoformat(self.day), time.fromisoformat(self.time)
        except ValueError:
            return None
        return wall_time(day, clock.replace(tzinfo=None), viewer.zone, int(self.fold == "1"))

    def content(self) -> dict[str, object]:
        """Return the body of the content."""
        if self.how == "text":
            first, *_ = from_markdown(self.text[:LONGEST_TEXT]).text.strip().split("\n")
            return {"title": first[:LONGEST_TITLE] or "-", "text": self.text}
        profile = self.profile or None
        brief = {"title": self.title, "description": self.description}
        return {**brief, "profile": profile, "illustrate": self.illustrate}


@router.get("/calendar/new")
async def write_post(desk: Asking, day: str = "", time: str = "") -> Response:
    """Show the form."""
    soon = (datetime.now(UTC).astimezone(desk.viewer.zone) + timedelta(hours=1)).replace(minute=0)
    return await _form(desk, PostForm(day=day or f"{soon:%Y-%m-%d}", time=time or f"{soon:%H:%M}"))


@router.post("/calendar/new/preview")
async def show_preview(desk: Asking) -> Response:
    """Show what each network would get of what is being typed."""
    form = await PostForm.sent(desk)
    return desk.page("calendar_new.html", block="previews", previews=_previews(form))


@router.post("/calendar/new")
async def plan_post(desk: Asking) -> Response:
    """Plan it for each of its targets, or for none of them."""
    form, _ = await PostForm.sent(desk), desk.gettext
    meant = form.meant(desk.viewer)
    if not form.targets:
        form.problems = [_("Choose where it goes.")]
    elif meant is None:
        form.problems = [_("Say on which day and at what time.")]
    elif meant.at < datetime.now(UTC) - timedelta(minutes=1):
        form.problems = [_("That time has passed.")]
    else:
        form.problems = await _planned(desk, form, meant.at)
    if form.problems:
        return await _form(desk, form)
    return desk.redirect(url("/calendar", view="day", date=form.day))


async def _planned(desk: Desk, form: PostForm, at: datetime) -> list[str]:
    """Plan it, and return nothing; or return what stands in the way, and leave nothing behind."""
    try:
        content = await desk.act(create_content, given=desk.given(NewContent, **form.content()))
    except Problem as problem:
        return [str(problem)]
    planned: list[UUID] = []
    for target in form.targets:
        try:
            given = desk.given(NewScheduledPost, content_id=content.id, target=target, scheduled_time=at)
            planned.append((await desk.act(create_scheduled_post, given=given)).id)
        except Problem as problem:
            for each in planned:
                await desk.act(cancel_scheduled_post, scheduled_id=each)
            await desk.act(delete_content, content_id=content.id)
            return [f"{target}: {problem}"]
    return []


async def _form(desk: Desk, form: PostForm) -> Response:
    desk.need("write")
    destinations = (await desk.read(list_destinations, limit=MOST)).items
    profiles = (await desk.read(list_profiles, limit=MOST)).items
    return desk.page(
        "calendar_new.html",
        form=form,
        offered=sorted(destinations, key=lambda each: each.address),
        profiles=profiles,
        previews=_previews(form),
        meant=form.meant(desk.viewer),
        zone=desk.viewer.zone.key,
    )


def _previews(form: PostForm) -> list[Preview]:
    if form.how != "text" or not form.text.strip():
        return []
    body = from_markdown(form.text[:LONGEST_TEXT]).trimmed()
    networks = {platform_of(target) for target in form.targets} & set(PLATFORMS) or {"telegram"}
    return [preview(each, body, media=False) for each in sorted(networks, key=PLATFORMS.index)]
