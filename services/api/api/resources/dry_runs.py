"""Dry runs: what a route would do with the latest posts, step by step, without doing it."""

from typing import Literal
from uuid import UUID

from pydantic import Field, model_validator

from api.http.calls import Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Utc
from api.resources.routes import NewRoute
from common.catalog import Catalog, Route, RouteBroadcast
from common.planning.dry_run import DryRun, Step, Trial

router = resource("routes")


class NewDryRun(Given):
    """A route as it is, or as it may become."""

    route_id: UUID | None = Field(default=None, description="a route that is there")
    route: NewRoute | None = Field(default=None, description="in its place: a route's values")
    posts: int = Field(default=5, ge=1, le=20, description="how many of the newest posts of its source")

    @model_validator(mode="after")
    def _one(self) -> "NewDryRun":
        if (self.route_id is None) == (self.route is None):
            raise ValueError("give either route_id or route")
        return self


class TriedStep(Answer):
    """One step of what would happen."""

    stage: Literal["duplicate", "rewrite", "image", "approval", "time", "target", "broadcast"]
    outcome: str = Field(
        description="of duplicate: new, duplicate; rewrite: known (there is one), asked (the model would be),"
        " untouched; image: own, made, none; approval: waits, not_needed; time: at_once, slot, no_slot;"
        " target: fits, noted, refused, wrong; broadcast: follows"
    )
    detail: str
    target: str | None
    at: Utc | None = Field(description="of a slot")
    count: int | None = Field(description="how long the text is; null: it is not written. Of a broadcast: its chats")
    limit: int | None = Field(description="how long it may be, in the platform's units")
    post_id: UUID | None = Field(description="of what it is a duplicate")
    rewrite_id: UUID | None


class TriedPost(Answer):
    """What would become of one post."""

    post_id: UUID
    title: str
    opening: str
    collected_at: Utc
    source_id: UUID
    ends: Literal["stops", "waits", "planned", "published"]
    steps: list[TriedStep]


class Tried(Answer):
    """What a route would do."""

    profile: str
    posts: list[TriedPost]


@router.post("/dry-run")
async def dry_run_route(given: NewDryRun, call: Calling) -> Tried:
    """Show what a route would do with the newest posts of its source. Nothing is done, and no model is called."""
    call.recorded = False
    route = await _route(given, Catalog(call.database))
    if route is None:
        raise Problem("not-found", "there is no such route")
    profile, trials = await DryRun(call.database, call.system.images_made_for)(route, given.posts)
    if profile is None:
        raise _wrong("/route/profile_id", "there is no such profile")
    return Tried(profile=profile.name, posts=[_post(trial) for trial in trials])


async def _route(given: NewDryRun, catalog: Catalog) -> Route | None:
    if given.route_id:
        return await catalog.route(given.route_id)
    values = given.route
    assert values
    if values.source_id and await catalog.source(values.source_id) is None:
        raise _wrong("/route/source_id", "there is no such source")
    broadcast = values.broadcast
    return Route(
        id=UUID(int=0),
        name=values.name,
        source_id=values.source_id,
        profile_id=values.profile_id,
        targets=tuple(values.targets),
        approval=values.approval,
        illustrate=values.illustrate,
        image_required=values.image_required,
        broadcast=RouteBroadcast(tuple(broadcast.chats), broadcast.delay_seconds, broadcast.forward)
        if broadcast
        else None,
        slots=values.slots.model_dump() if values.slots else None,
        approval_expires_hours=values.approval_expires_hours,
    )


def _post(trial: Trial) -> TriedPost:
    steps = [_step(step) for step in trial.steps]
    return TriedPost(
        post_id=trial.post_id,
        title=trial.title,
        opening=trial.opening,
        collected_at=trial.collected_at,
        source_id=trial.source_id,
        ends=trial.ends,
        steps=steps,
    )


def _step(step: Step) -> TriedStep:
    return TriedStep.model_validate(step, from_attributes=True)


def _wrong(pointer: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"in": "body", "pointer": pointer, "detail": detail}])
