"""AI: how posts are rewritten, what that costs, and whether models may be asked now."""

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.routes import screen
from api.panel.screens.ai_view import DAYS, KEPT, TrialView, by_day, errors_of, values_given, values_of
from api.resources.budgets import list_budgets
from api.resources.profile_trials import Trial, get_trial, list_trials
from api.resources.profile_versions import get_profile_version, list_profile_versions
from api.resources.profiles import (
    NewProfile,
    ProfileChange,
    change_profile,
    create_profile,
    delete_profile,
    get_profile,
    list_profile_use,
    list_profiles,
)
from api.resources.quotas import list_quotas
from api.resources.routes import list_routes
from api.resources.sources import Source, list_sources
from api.resources.spending import SpentBy, get_spending

router = screen()

MOST = 200  # profiles and sources at once


@router.get("/ai")
async def show_profiles(desk: Asking) -> Response:
    """Show the profiles with what they cost, and how the models stand."""
    month, today = _since(desk)
    profiles = await desk.read(list_profiles, limit=MOST)
    use = {each.profile_id: each for each in (await desk.read(list_profile_use, since=month)).items}
    spent, spent_today, models, purposes, days = await asyncio.gather(
        desk.read(get_spending, by="profile", since=month),
        desk.read(get_spending, by="profile", since=today),
        desk.read(get_spending, by="model", since=month),
        desk.read(get_spending, by="purpose", since=month),
        _days(desk, month),
    )
    cost, cost_today = _by_key(spent.groups), _by_key(spent_today.groups)
    return desk.page(
        "ai.html",
        "profiles",
        profiles=sorted(profiles.items, key=lambda each: (-_cost(cost, each.id), each.name)),
        use=use,
        spent=cost,
        spent_today=cost_today,
        total=spent.total,
        total_today=spent_today.total,
        models=models.groups,
        purposes=purposes.groups,
        days=by_day(days.groups, now(desk)),
        quotas=(await desk.read(list_quotas)).items,
        budgets=(await desk.read(list_budgets, limit=MOST)).items,
    )


@router.get("/ai/new")
async def show_new(desk: Asking) -> Response:
    """Show the form of a profile that is to be."""
    desk.need("write")
    values = values_of(NewProfile(name="-")) | {"name": ""}
    return await _new(desk, values, {})


@router.post("/ai")
async def create(desk: Asking) -> Response:
    """Add a profile."""
    values = values_given(await desk.form(), await desk.chosen("keep"))
    try:
        made = await desk.act(create_profile, given=desk.given(NewProfile, **values))
    except Problem as problem:
        return await _new(desk, values, errors_of(problem), problem.status)
    return desk.redirect(f"/ai/{made.id}")


@router.get("/ai/{profile_id}")
async def show_profile(desk: Asking, profile_id: UUID, trial: UUID | None = None) -> Response:
    """Show a profile: its form, and what it makes of past posts."""
    return await shown(desk, profile_id, trial=trial)


@router.post("/ai/{profile_id}")
async def save(desk: Asking, profile_id: UUID) -> Response:
    """Save a profile: what is different is a new version."""
    form = await desk.form()
    values = values_given(form, await desk.chosen("keep"))
    before = await desk.read(get_profile, profile_id=profile_id)
    try:
        change = desk.given(ProfileChange, **values)
        after = await desk.act(change_profile, profile_id=profile_id, change=change, if_match=form.get("etag") or None)
    except Problem as problem:
        return await shown(desk, profile_id, values=values, etag=form.get("etag"), problem=problem)
    if after.version == before.version:
        desk.toast(desk.gettext("Nothing is different: it stays version %(number)s", number=after.version))
    else:
        undo = url(f"/ai/{profile_id}/versions/{before.version}/restore", back="profile")
        desk.toast(desk.gettext("Saved as version %(number)s", number=after.version), undo=undo)
    return await shown(desk, profile_id) if desk.by_htmx else desk.redirect(f"/ai/{profile_id}")


@router.post("/ai/{profile_id}/delete")
async def delete(desk: Asking, profile_id: UUID) -> Response:
    """Delete a profile that no route uses."""
    await desk.act(delete_profile, profile_id=profile_id, if_match=(await desk.form()).get("etag") or None)
    return desk.redirect("/ai")


async def shown(
    desk: Desk,
    profile_id: UUID,
    *,
    trial: UUID | None = None,
    values: dict[str, Any] | None = None,
    etag: str | None = None,
    problem: Problem | None = None,
) -> Response:
    """Answer the page of a profile, perhaps with what somebody typed and what is wrong with it."""
    month, today = _since(desk)
    profile = await desk.read(get_profile, profile_id=profile_id)
    found = await desk.read(get_trial, profile_id=profile_id, trial_id=trial) if trial else None
    draft = values_of(found.draft) if found and found.draft and values is None else None
    uses = (await desk.read(list_profile_use, since=month)).items
    spent = await _days(desk, month, profile_id)
    spent_today = await desk.read(get_spending, by="purpose", since=today, profile_id=profile_id)
    return desk.page(
        "ai_profile.html",
        "profile",
        status=problem.status if problem else 200,
        profile=profile,
        form=values or draft or values_of(profile),
        is_draft=draft is not None and draft != values_of(profile),
        etag=etag or desk.etag(profile),
        errors=errors_of(problem) if problem else {},
        outdated=problem is not None and problem.kind == "precondition-failed",
        kept=KEPT,
        models=await _models(desk, month),
        use=next((each for each in uses if each.profile_id == profile_id), None),
        spent=spent.total,
        spent_today=spent_today.total,
        days=by_day(spent.groups, now(desk)),
        versions=(await desk.read(list_profile_versions, profile_id=profile_id, limit=MOST)).items,
        sources=await _sources(desk, profile_id),
        trials=(await desk.read(list_trials, profile_id=profile_id, limit=8)).items,
        tried=await trial_view(desk, found) if found else None,
        found=None,
        q="",
    )


async def trial_view(desk: Desk, trial: Trial) -> TrialView:
    """Return how a trial is shown."""
    limits: dict[int | None, int] = {None: trial.draft.max_length} if trial.draft else {}
    for number in {run.version for run in trial.runs if run.version}:
        version = await desk.read(get_profile_version, profile_id=trial.profile_id, number=number)
        limits[number] = version.max_length
    return TrialView.of(trial, limits)


async def _new(desk: Desk, values: dict[str, Any], errors: dict[str, str], status: int = 200) -> Response:
    month, _ = _since(desk)
    models = await _models(desk, month)
    return desk.page("ai_new.html", "new", status=status, form=values, errors=errors, kept=KEPT, models=models)


async def _sources(desk: Desk, profile_id: UUID) -> list[Source]:
    """Return what a profile can be tried on: first the sources whose routes go through it."""
    routes = (await desk.read(list_routes, profile_id=profile_id, limit=MOST)).items
    own = {route.source_id for route in routes}
    sources = [each for each in (await desk.read(list_sources, limit=MOST)).items if each.kind != "canary"]
    return sorted(sources, key=lambda each: (each.id not in own, each.title or each.address))


async def _models(desk: Desk, since: datetime) -> list[str]:
    """Return the models that texts were written by, for a form to offer."""
    spent = await desk.read(get_spending, by="model", since=since, kind="chat")
    return [group.key for group in spent.groups if group.key]


async def _days(desk: Desk, since: datetime, profile_id: UUID | None = None) -> Any:
    return await desk.read(get_spending, by="day", since=since, timezone=desk.viewer.zone.key, profile_id=profile_id)


def now(desk: Desk) -> datetime:
    """Return the time in the person's zone."""
    return datetime.now(desk.viewer.zone)


def _since(desk: Desk) -> tuple[datetime, datetime]:
    """Return the beginnings of the first of the last days, and of today."""
    today = now(desk).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=DAYS - 1), today


def _by_key(groups: list[SpentBy]) -> dict[str | None, SpentBy]:
    return {group.key: group for group in groups}


def _cost(spent: dict[str | None, SpentBy], profile_id: UUID) -> float:
    found = spent.get(str(profile_id))
    return found.cost_usd if found else 0.0
