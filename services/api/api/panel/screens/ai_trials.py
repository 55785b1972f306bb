"""Trying a profile on past posts: a draft beside a version, as the results come."""

from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.routes import screen
from api.panel.screens.ai import shown, trial_view
from api.panel.screens.ai_view import differing, errors_of, values_given
from api.resources.posts import list_posts
from api.resources.profile_trials import NewTrial, Trial, get_trial, try_profile
from api.resources.profiles import NewProfile, Profile, get_profile
from common.trials import MOST_POSTS

router = screen()

FOUND = 8  # posts that a search offers


@router.get("/ai/{profile_id}/posts")
async def find_posts(desk: Asking, profile_id: UUID, q: str = "") -> Response:
    """Offer posts to try a profile on."""
    if not desk.by_htmx:
        return desk.redirect(f"/ai/{profile_id}")
    found = (await desk.read(list_posts, q=q.strip()[:200], limit=FOUND)).items if q.strip() else None
    return desk.page("ai_profile.html", "found", found=found, q=q)


@router.post("/ai/{profile_id}/trials")
async def start(desk: Asking, profile_id: UUID) -> Response:
    """Try what the form says, saved or not, beside a version."""
    form = await desk.form()
    values = values_given(form, await desk.chosen("keep"))
    profile = await desk.read(get_profile, profile_id=profile_id)
    try:
        draft = differing(desk.given(NewProfile, **values), profile)
        asked = _asked(desk, form, await desk.chosen("post_ids"), profile) | ({"draft": draft} if draft else {})
        trial = await desk.act(try_profile, profile_id=profile_id, given=desk.given(NewTrial, **asked))
    except Problem as problem:
        if desk.by_htmx and (told := errors_of(problem).get("")):
            raise Problem(problem.kind, told) from None
        return await shown(desk, profile_id, values=values, etag=form.get("etag"), problem=problem)
    address = url(f"/ai/{profile_id}", trial=trial.id)
    if not desk.by_htmx:
        return desk.redirect(address)
    answer = await _trial(desk, profile, trial)
    answer.headers["HX-Replace-Url"] = address
    return answer


@router.get("/ai/{profile_id}/trials/{trial_id}")
async def follow(desk: Asking, profile_id: UUID, trial_id: UUID) -> Response:
    """Show what came of a trial so far."""
    if not desk.by_htmx:
        return desk.redirect(url(f"/ai/{profile_id}", trial=trial_id))
    profile = await desk.read(get_profile, profile_id=profile_id)
    return await _trial(desk, profile, await desk.read(get_trial, profile_id=profile_id, trial_id=trial_id))


def _asked(desk: Desk, form: dict[str, str], posts: list[str], profile: Profile) -> dict[str, Any]:
    """Return the version and the posts that were chosen."""
    asked: dict[str, Any] = {"versions": [form.get("against") or profile.version]}
    if form.get("from") != "search":
        return asked | {"source_id": form.get("source_id") or None, "last": form.get("last") or MOST_POSTS}
    if not 0 < len(posts) <= MOST_POSTS:
        raise Problem("invalid", desk.gettext("Choose from one to %(most)s posts", most=MOST_POSTS))
    return asked | {"post_ids": posts}


async def _trial(desk: Desk, profile: Profile, trial: Trial) -> Response:
    return desk.page("ai_profile.html", "trial", profile=profile, tried=await trial_view(desk, trial))
