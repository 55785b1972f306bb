"""Taking a decision about a post back, as long as nothing of it was sent."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import asyncpg

from api.decide import cause_of
from api.http.calls import CONSUMER, Call
from api.http.problems import Problem
from api.statements import statement
from common.events import PublishRequested, RewriteRequested, derive
from common.planning.scheduled import ScheduledPosts
from common.planning.targets import target_of

AWAITS = "awaits approval again"
SENT: Mapping[str, str] = {
    "in_progress": "is being sent to {} at this moment",
    "succeeded": "is published at {} already",
    "unknown": "may be published at {} already: nobody knows",
    "failed": "could not be sent to {}",
    "cancelled": "was called off at {}",
}


async def reopen(call: Call, post_id: UUID, route_id: UUID | None) -> list[UUID]:
    """Let routes hold a post again that was rejected, planned, queued, or is to be rewritten; return these routes.

    Without a route the latest decision is meant. Raises a problem where there is none, or where it is too late.
    """
    rows = await call.database.strict_fetch(statement("inbox", "decided"), post_id, route_id)
    if not rows:
        raise Problem("conflict", "nothing was decided about this post that could be taken back")
    latest = [row for row in rows if row["decided_at"] == rows[0]["decided_at"]]
    for row in latest:
        match row["decision"]:
            case "publish":
                await _call_off_request(call, post_id, row)
            case "schedule":
                await _call_off_plans(call, post_id, row)
            case "rewrite":
                await _call_off_rewrite(call, post_id, row)
        values = post_id, row["route_id"], row["decision"], call.actor, AWAITS
        await call.database.strict_fetch(statement("inbox", "hold_again"), *values)
    return [row["route_id"] for row in latest]


async def _call_off_request(call: Call, post_id: UUID, row: asyncpg.Record) -> None:
    """Call off a publish request: what the publisher has queued of it, or the request itself."""
    cause = cause_of("approve", post_id, row["route_id"], row["rewrite_id"], row["decided_at"])
    request = str(derive(cause, CONSUMER, PublishRequested.wire_name(), 0))
    if await _ended(call, "publisher", "publish_queue", PublishRequested.subject, request, post_id):
        return
    publications = await call.database.strict_fetch(statement("inbox", "sent"), request)
    if not publications:
        raise Problem("conflict", "the post is on its way already: too late to take it back")
    _check_unsent(publications)
    await call.database.strict_fetch(statement("inbox", "call_off_package"), request, call.actor)


async def _call_off_rewrite(call: Call, post_id: UUID, row: asyncpg.Record) -> None:
    cause = cause_of("rewrite", post_id, row["route_id"], row["rewrite_id"], row["decided_at"])
    request = str(derive(cause, CONSUMER, RewriteRequested.wire_name(), 0))
    if not await _ended(call, "rewriter-again", "rewrite_queue", RewriteRequested.subject, request, post_id):
        raise Problem("conflict", "it was rewritten already")


async def _call_off_plans(call: Call, post_id: UUID, row: asyncpg.Record) -> None:
    targets = [target_of(each) for each in row["targets"]]
    plans = await call.database.strict_fetch(statement("inbox", "plans"), post_id, targets)
    states = {"publishing": "in_progress", "published": "succeeded"}
    _check_unsent(
        [
            {"destination": plan["target"], "status": states.get(plan["status"], "queued"), "url": plan["url"]}
            for plan in plans
        ]
    )
    for plan in plans:
        await ScheduledPosts(call.database).cancel(plan["id"], call.actor)


async def _ended(call: Call, consumer: str, queue: str, subject: str, event_id: str, post_id: UUID) -> bool:
    """End the work of one event, whether it was begun or not; False where it is done already."""
    values = consumer, event_id, queue, subject, post_id, call.actor
    if await call.database.strict_fetch(statement("inbox", "forestall"), *values):
        return True
    outcomes = await call.jobs.cancel_all([(consumer, event_id)], by=call.actor)
    return outcomes.get((consumer, event_id)) is None


def _check_unsent(publications: Sequence[Mapping[str, Any] | asyncpg.Record]) -> None:
    for each in publications:
        if each["status"] != "queued":
            said = SENT[each["status"]].format(each["destination"])
            raise Problem("conflict", f"too late: the post {said}" + (f", {each['url']}" if each["url"] else ""))
