"""What a person's decision about a post does."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal
from uuid import UUID

from api.http.calls import Call
from api.http.problems import Problem
from api.statements import statement
from common.catalog import Catalog
from common.events import PublishRequested, RewriteRequested
from common.planning.going_out import GoingOut
from common.planning.scheduled import Order, ScheduledPosts
from common.planning.targets import target_of
from common.postgres import Database
from common.telemetry.propagation import resumed_trace


@dataclass(frozen=True, slots=True)
class Decided:
    """What was held of a post for one route."""

    route_id: UUID
    rewrite_id: UUID
    targets: tuple[str, ...]
    traceparent: str | None
    decided_at: datetime

    def cause(self, verb: str, post_id: UUID) -> str:
        """Return what identifies this decision, so that what follows from it is emitted once, and can be called off."""
        return cause_of(verb, post_id, self.route_id, self.rewrite_id, self.decided_at)


def cause_of(verb: str, post_id: UUID, route_id: UUID, rewrite_id: UUID, decided_at: datetime) -> str:
    """Return what identifies a decision about a post for a route."""
    return f"{verb}/{post_id}/{route_id}/{rewrite_id}/{decided_at.astimezone(UTC):%Y%m%dT%H%M%S.%f}"


async def decide_routing(
    database: Database,
    post_id: UUID,
    route_id: UUID | None,
    verdict: Literal["publish", "schedule", "rewrite", "reject"],
    by: str,
    reason: str,
) -> list[Decided]:
    """Decide about what one route holds of a post, or all do, and return it. Of two decisions the first counts.

    Raises a problem where nothing is held.
    """
    rows = await database.strict_fetch(statement("posts", "decide"), post_id, route_id, verdict, by, reason)
    if not rows:
        raise Problem("conflict", await _why_not_held(database, post_id, route_id))
    return [
        Decided(row["route_id"], row["rewrite_id"], tuple(row["targets"]), row["traceparent"], row["decided_at"])
        for row in rows
    ]


async def _why_not_held(database: Database, post_id: UUID, route_id: UUID | None) -> str:
    row = await database.fetchrow(statement("posts", "last_decision"), post_id, route_id)
    if row is None or row["decided_by"] is None:
        return "nothing of this post is held: it was decided already, or no route asks for approval"
    at = f"{row['decided_at'].astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"nothing of this post is held: {row['decided_by']} has decided it already ({row['decision']}, at {at})"


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
            packages += await call.emit(*goes_out.requests, cause=held.cause("approve", post_id))
        if goes_out.decision != "publish":
            values = post_id, held.route_id, goes_out.decision, goes_out.reason
            await call.database.execute(statement("posts", "plan_routing"), *values)
        planned += [taken.scheduled_id for taken in goes_out.taken]
    return packages, planned


async def schedule(call: Call, post_id: UUID, route_id: UUID | None, reason: str, at: datetime) -> list[UUID]:
    """Plan what routes hold of a post for a chosen time, at all of their targets; return the scheduled posts.

    A text that is too long is cut then, as it would be now. Raises a problem where nothing is held, and what planning
    raises.
    """
    plans = ScheduledPosts(call.database, images_made_for=call.system.images_made_for)
    planned: list[UUID] = []
    for held in await decide_routing(call.database, post_id, route_id, "schedule", call.actor, reason):
        with resumed_trace(held.traceparent, "approval", call.system.tracer):
            for target in dict.fromkeys(target_of(each) for each in held.targets):
                order = Order(at, post_id=post_id, target=target, rewrite_id=held.rewrite_id, cut=True)
                planned.append(await plans.plan(order, call.actor))
        said = f"planned for {at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
        await call.database.execute(statement("posts", "plan_routing"), post_id, held.route_id, "schedule", said)
    return planned


async def ask_again(call: Call, post_id: UUID, route_id: UUID | None, remark: str) -> list[str]:
    """Have what routes hold of a post rewritten again; return the requests. Raises a problem where nothing is held."""
    requests: list[str] = []
    said = f"is being rewritten: {remark}" if remark else "is being rewritten"
    for held in await decide_routing(call.database, post_id, route_id, "rewrite", call.actor, said):
        event = RewriteRequested(
            post_id=post_id, route_id=held.route_id, rewrite_id=held.rewrite_id, remark=remark, by=call.actor
        )
        with resumed_trace(held.traceparent, "rewrite again", call.system.tracer):
            requests += await call.emit(event, cause=held.cause("rewrite", post_id))
    return requests


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
