"""Rules: what makes posts by itself, when it runs next, and what came of it."""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from pydantic import BaseModel
from starlette.responses import Response

from api.http.problems import Problem
from api.panel.desk import Asking, Desk
from api.panel.pages import url
from api.panel.routes import screen
from api.panel.screens.rules_form import RuleForm
from api.panel.screens.rules_words import ScheduleWords, day_name, long_date
from api.resources.destinations import list_destinations
from api.resources.profiles import list_profiles
from api.resources.rules import (
    GivenSchedule,
    NewCronRule,
    NewDailyRule,
    NewIntervalRule,
    NewOnceRule,
    NewWeeklyRule,
    RuleChange,
    activate_rule,
    change_rule,
    create_rule,
    deactivate_rule,
    delete_rule,
    get_rule,
    list_executions,
    list_rules,
    preview_rule,
    preview_schedule,
    run_rule,
)

router = screen()

BODIES: Mapping[str, type[BaseModel]] = {
    "once": NewOnceRule,
    "interval": NewIntervalRule,
    "daily": NewDailyRule,
    "weekly": NewWeeklyRule,
    "cron": NewCronRule,
}
MOST = 200  # destinations and profiles that a form offers
RUNS = 20  # of the history on one page


@router.get("/rules")
async def show_rules(desk: Asking, state: str = "", cursor: str = "") -> Response:
    """List the rules."""
    is_active = {"active": True, "paused": False}.get(state)
    rules = await desk.read(list_rules, is_active=is_active, cursor=cursor)
    return desk.page("rules.html", block="rules", rules=rules, state=state, words=ScheduleWords(desk.viewer))


@router.get("/rules/new")
async def write_rule(desk: Asking) -> Response:
    """Show the form of a new rule."""
    return await _form(desk, RuleForm(timezone=desk.viewer.zone.key))


@router.post("/rules/preview")
async def show_times(desk: Asking) -> Response:
    """Show the next runs of a schedule while it is being typed."""
    form = await RuleForm.sent(desk)
    times, wrong = await _times(desk, form)
    words = ScheduleWords(desk.viewer)
    said = "" if wrong else words(form.kind, form.schedule(desk.viewer))
    return desk.page(
        "rule_form.html",
        block="times",
        times=times,
        wrong=wrong,
        said=said,
        form=form,
        weekday=partial(long_date, desk.viewer),
    )


@router.post("/rules")
async def add_rule(desk: Asking) -> Response:
    """Add a rule."""
    form = await RuleForm.sent(desk)
    try:
        given = desk.given(BODIES[form.kind], **form.values(desk.viewer))
        rule = await desk.act(create_rule, given=given)
    except Problem as problem:
        form.refuse(problem)
        return await _form(desk, form)
    return desk.redirect(f"/rules/{rule.id}")


@router.get("/rules/{rule_id}")
async def show_rule(desk: Asking, rule_id: UUID, cursor: str = "") -> Response:
    """Show a rule, its next ten runs and its history."""
    return await _rule(desk, rule_id, cursor)


@router.get("/rules/{rule_id}/edit")
async def edit_rule(desk: Asking, rule_id: UUID) -> Response:
    """Show the form of a rule."""
    rule = await desk.read(get_rule, rule_id=rule_id)
    return await _form(desk, RuleForm.of(rule, desk.viewer, desk.etag(rule)), rule_id)


@router.post("/rules/{rule_id}")
async def save_rule(desk: Asking, rule_id: UUID) -> Response:
    """Change a rule."""
    form = await RuleForm.sent(desk)
    try:
        change = desk.given(RuleChange, **form.values(desk.viewer))
        await desk.act(change_rule, if_match=form.etag or None, rule_id=rule_id, change=change)
    except Problem as problem:
        form.refuse(problem)
        return await _form(desk, form, rule_id)
    return desk.redirect(f"/rules/{rule_id}")


@router.post("/rules/{rule_id}/run")
async def run_now(desk: Asking, rule_id: UUID) -> Response:
    """Run a rule beside its times."""
    done = await desk.act(run_rule, rule_id=rule_id)
    if done.status == "failed":
        desk.toast(desk.gettext("The run failed"), detail=done.error or "", bad=True)
    else:
        number = len(done.posts)
        text = desk.ngettext("One post is planned for now", "%(num)s posts are planned for now", number)
        desk.toast(text, detail=", ".join(post.target for post in done.posts))
    return await _acted(desk, rule_id)


@router.post("/rules/{rule_id}/{verb}")
async def switch_rule(desk: Asking, rule_id: UUID, verb: str) -> Response:
    """Pause or resume a rule, or delete it."""
    if verb == "delete":
        await desk.act(delete_rule, rule_id=rule_id)
        return desk.redirect("/rules")
    if verb not in ("pause", "resume"):
        raise Problem("not-found", "there is no such path")
    await desk.act(activate_rule if verb == "resume" else deactivate_rule, rule_id=rule_id)
    _ = desk.gettext
    undo = url(f"/rules/{rule_id}/{'pause' if verb == 'resume' else 'resume'}")
    desk.toast(_("The rule runs again") if verb == "resume" else _("The rule is paused"), undo=undo)
    return await _acted(desk, rule_id)


async def _acted(desk: Desk, rule_id: UUID) -> Response:
    return await _rule(desk, rule_id) if desk.by_htmx else desk.redirect(f"/rules/{rule_id}")


async def _rule(desk: Desk, rule_id: UUID, cursor: str = "") -> Response:
    rule = await desk.read(get_rule, rule_id=rule_id)
    times: list[datetime] = []
    if rule.is_active:
        try:
            times = (await desk.read(preview_rule, rule_id=rule_id)).times
        except Problem:  # what is stored can't be read: the words of its schedule say so
            times = []
    runs = await desk.read(list_executions, rule_id=rule_id, limit=RUNS, cursor=cursor)
    return desk.page(
        "rule.html",
        block="rule",
        weekday=partial(long_date, desk.viewer),
        rule=rule,
        place=url(f"/rules/{rule_id}", cursor=cursor),
        times=times,
        runs=runs,
        words=ScheduleWords(desk.viewer),
        zone=desk.viewer.zone.key,
        profile=rule.content_config.get("profile"),
    )


async def _form(desk: Desk, form: RuleForm, rule_id: UUID | None = None) -> Response:
    desk.need("write")
    destinations = (await desk.read(list_destinations, limit=MOST)).items
    profiles = (await desk.read(list_profiles, limit=MOST)).items
    known = {each.address: each.title for each in sorted(destinations, key=lambda each: each.address)}
    times, wrong = await _times(desk, form)
    said = "" if wrong else ScheduleWords(desk.viewer)(form.kind, form.schedule(desk.viewer))
    values: dict[str, Any] = {
        "offered": known | {each: known.get(each, "") for each in form.targets},
        "profiles": profiles,
        "zones": sorted(available_timezones()),
        "day_name": partial(day_name, desk.viewer),
        "weekday": partial(long_date, desk.viewer),
    }
    return desk.page(
        "rule_form.html", form=form, rule_id=rule_id, times=times, wrong=wrong, said=said, zone=desk.viewer.zone.key,
        **values,
    )  # fmt: skip


async def _times(desk: Desk, form: RuleForm) -> tuple[list[datetime], str]:
    """Return the next times of what stands in a form, or what is wrong with it."""
    try:
        given = desk.given(GivenSchedule, schedule_type=form.kind, schedule_config=form.schedule(desk.viewer))
        found = (await desk.read(preview_schedule, given=given)).times
    except Problem as problem:
        return [], str(problem)
    return [each for each in found if each > datetime.now(UTC)], ""
