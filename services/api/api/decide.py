"""What a person's decision about a post does."""

from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from api.http.calls import Call
from api.http.problems import Problem
from api.statements import statement
from common.catalog import Catalog
from common.events import PublishRequested
from common.planning.going_out import GoingOut
from common.postgres import Database
from common.telemetry.propagation import resumed_trace


@dataclass(frozen=True, slots=True)
class Decided:
    """What was held of a post for one route."""

    route_id: UUID
    rewrite_id: UUID
    targets: tuple[str, ...]
    traceparent: str | None


async def decide_routing(
    database: Database,
    post_id: UUID,
    route_id: UUID | None,
    verdict: Literal["publish", "reject"],
    by: str,
    reason: str,
) -> list[Decided]:
    """Decide about what one route holds of a post, or all do, and return it. Of two decisions the first counts.

    Raises a problem where nothing is held.
    """
    rows = await database.strict_fetch(statement("posts", "decide"), post_id, route_id, verdict, by, reason)
    if not rows:
        raise Problem("conflict", "nothing of this post is held: it was decided already, or no route asks for approval")
    return [Decided(row["route_id"], row["rewrite_id"], tuple(row["targets"]), row["traceparent"]) for row in rows]


async def approve(call: Call, post_id: UUID, route_id: UUID | None, reason: str) -> tuple[list[str], list[UUID]]:
    """Publish what routes hold of a post, or plan it for their slots; return the packages and the scheduled posts.

    Raises a problem where nothing is held.
    """
    going_out, catalog = GoingOut(call.database), Catalog(call.database)
    packages: list[str] = []
    planned: list[UUID] = []
    for held in await decide_routing(call.database, post_id, route_id, "publish", call.actor, reason):
        route = await catalog.route(held.route_id)
        with resumed_trace(held.traceparent, "approval", call.system.tracer):
            goes_out = await going_out(route, post_id, held.rewrite_id, held.targets, call.actor)
            cause = f"approve/{post_id}/{held.route_id}/{held.rewrite_id}"
            packages += await call.emit(*goes_out.requests, cause=cause)
        if goes_out.decision != "publish":
            values = post_id, held.route_id, goes_out.decision, goes_out.reason
            await call.database.execute(statement("posts", "plan_routing"), *values)
        planned += [taken.scheduled_id for taken in goes_out.taken]
    return packages, planned


async def retry(call: Call, post_id: UUID) -> tuple[list[str], list[str]]:
    """Replay a post's dead letters and ask for its failed publications anew; return the jobs and the packages.

    Raises a problem where nothing failed.
    """
    row = await call.database.fetchrow(statement("posts", "failed"), post_id)
    assert row
    failed, destinations = set(row["jobs"] or ()), tuple(row["destinations"] or ())
    if not failed and not destinations:
        raise Problem("conflict", "nothing of this post failed")
    replayed = await _replayed(call, failed)
    packages = []
    if destinations:
        request = PublishRequested(post_id=post_id, rewrite_id=row["rewrite_id"], targets=destinations)
        with resumed_trace(row["traceparent"], "retry", call.system.tracer):
            packages = await call.emit(request)
    if not replayed and not packages:
        raise Problem("conflict", "its dead letters are not kept any more")
    return replayed, packages


async def _replayed(call: Call, failed: set[str]) -> list[str]:
    letters = call.dead_letters
    found = await letters.of_jobs(
        [(consumer, event_id) for consumer, _, event_id in (job.partition("/") for job in failed)]
    )
    outcomes = await letters.replay(found)
    sent = zip(found, outcomes, strict=True)
    return sorted({f"{letter.consumer}/{letter.event_id}" for letter, refusal in sent if refusal is None})
