"""What people decide about posts: publish, approve, reject, cancel, retry."""

from typing import Annotated
from uuid import UUID

from pydantic import Field, StringConstraints

from api.decide import approve, ask_again, decide_routing, retry, schedule
from api.http.calls import Calling
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import Answer, Given, Line, Moment
from api.reopen import reopen
from api.resources.destinations import Target
from api.resources.posts import read_post
from api.statements import statement
from common.events import PublishRequested

router = resource("posts")


class PublishOrder(Given):
    """Where a post is to be published."""

    targets: Annotated[list[Target], Field(max_length=100)] = Field(
        default=[], description="empty: the targets of its routes; where it is already it is left out"
    )
    rewrite_id: UUID | None = Field(default=None, description="left out: the newest rewrite, else the original")
    illustrate: bool = Field(default=False, description="have an image made first, if it has none")


class Verdict(Given):
    """A decision about what routes hold of a post."""

    route_id: UUID | None = Field(default=None, description="left out: all routes that hold it")
    reason: Line = ""


class Approval(Verdict):
    """A decision that what routes hold of a post goes out."""

    at: Moment | None = Field(
        default=None, description="when; left out: at once, or at the next free slot where a route has slots"
    )


class AnotherRewrite(Given):
    """A wish for another rewrite."""

    route_id: UUID | None = Field(default=None, description="left out: all routes that hold it")
    remark: Annotated[str, StringConstraints(max_length=1000, strip_whitespace=True)] = Field(
        default="", description="what the model is to do differently"
    )


class Reopening(Given):
    """What is to be taken back."""

    route_id: UUID | None = Field(default=None, description="left out: the latest decision, for all of its routes")


class Packages(Answer):
    """Publish requests that were made; they are in the post's `packages` soon."""

    package_ids: list[str]


class Approved(Packages):
    """What follows from an approval."""

    scheduled_ids: list[UUID] = Field(description="scheduled posts, where a route has slots")


class Rejected(Answer):
    """The routes for which a post was rejected."""

    route_ids: list[UUID]


class RewriteRequests(Answer):
    """Requests for another rewrite that were made."""

    request_ids: list[str]


class Reopened(Answer):
    """The routes that hold a post again."""

    route_ids: list[UUID]


class CalledOff(Answer):
    """The destinations to which a post is not sent any more."""

    destinations: list[str]


class Retried(Answer):
    """What is tried again."""

    jobs: list[str] = Field(description="consumer/event_id")
    package_ids: list[str]


@router.post("/{post_id}/publish", status_code=202)
async def publish_post(post_id: UUID, order: PublishOrder, call: Calling) -> Packages:
    """Publish a post."""
    post = await read_post(call, post_id)
    if post.duplicate_of:
        raise Problem("conflict", f"the post is a duplicate of {post.duplicate_of}")
    if order.rewrite_id and order.rewrite_id not in {each.id for each in post.rewrites if each.status == "succeeded"}:
        raise Problem("conflict", f"the post has no rewrite {order.rewrite_id} that succeeded")
    request = PublishRequested(
        post_id=post_id, rewrite_id=order.rewrite_id, targets=tuple(order.targets), illustrate=order.illustrate
    )
    return Packages(package_ids=await call.emit(request))


@router.post("/{post_id}/approve", status_code=202)
async def approve_post(post_id: UUID, verdict: Approval, call: Calling) -> Approved:
    """Publish what routes hold of a post, or plan it: for a chosen time, or where a route has slots."""
    call.before = await read_post(call, post_id)
    if verdict.at:
        planned = await schedule(call, post_id, verdict.route_id, verdict.reason, verdict.at)
        return Approved(package_ids=[], scheduled_ids=planned)
    package_ids, scheduled_ids = await approve(call, post_id, verdict.route_id, verdict.reason)
    return Approved(package_ids=package_ids, scheduled_ids=scheduled_ids)


@router.post("/{post_id}/reject")
async def reject_post(post_id: UUID, verdict: Verdict, call: Calling) -> Rejected:
    """Never publish what routes hold of a post."""
    call.before = await read_post(call, post_id)
    decided = await decide_routing(call.database, post_id, verdict.route_id, "reject", call.actor, verdict.reason)
    return Rejected(route_ids=[each.route_id for each in decided])


@router.post("/{post_id}/rewrite", status_code=202)
async def rewrite_post(post_id: UUID, wish: AnotherRewrite, call: Calling) -> RewriteRequests:
    """Have what routes hold of a post rewritten again. It is held until then, and awaits a decision afterwards."""
    call.before = await read_post(call, post_id)
    return RewriteRequests(request_ids=await ask_again(call, post_id, wish.route_id, wish.remark))


@router.post("/{post_id}/reopen")
async def reopen_post(post_id: UUID, wish: Reopening, call: Calling) -> Reopened:
    """Take a decision about a post back, as long as nothing of it was sent: it awaits a decision again."""
    call.before = await read_post(call, post_id)
    return Reopened(route_ids=await reopen(call, post_id, wish.route_id))


@router.post("/{post_id}/cancel")
async def cancel_post(post_id: UUID, call: Calling) -> CalledOff:
    """Call off what of a post is queued and not sent yet."""
    call.before = await read_post(call, post_id)
    rows = await call.database.strict_fetch(statement("posts", "cancel"), post_id, call.actor)
    if not rows:
        raise Problem("conflict", "nothing of this post is queued")
    return CalledOff(destinations=sorted(row["destination"] for row in rows))


@router.post("/{post_id}/retry", status_code=202)
async def retry_post(post_id: UUID, call: Calling) -> Retried:
    """Try again what of a post failed: its dead letters, and the destinations to which it was not sent."""
    call.before = await read_post(call, post_id)
    jobs, package_ids = await retry(call, post_id)
    return Retried(jobs=jobs, package_ids=package_ids)
