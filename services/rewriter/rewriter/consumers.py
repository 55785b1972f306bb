"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from common.events import ContentRequested, Event, PostCollected, RewriteRequested, TrialRequested
from common.messaging import Job
from common.service import Service
from rewriter.again import NotRewritten, RewriteAgain
from rewriter.rewrite import RewritePost
from rewriter.settings import QUEUE_DEFAULTS
from rewriter.store import Store
from rewriter.try_profile import TryProfile
from rewriter.write import WriteContent


def register(
    service: Service,
    rewrite: RewritePost,
    again: RewriteAgain,
    write: WriteContent,
    try_profile: TryProfile,
    store: Store,
) -> None:
    """Let the service consume."""

    async def rewrite_collected(event: PostCollected, job: Job) -> Sequence[Event]:
        """Rewrite a post for each route of its source."""
        rewrites, failed = await rewrite(event.post_id, job.event_id)
        for each in rewrites:
            store.add(job, each)
        return [*(event for each in rewrites for event in each.events()), *(each.event() for each in failed)]

    async def rewrite_requested(event: RewriteRequested, job: Job) -> Sequence[Event]:
        """Rewrite a post once more for a route, as a person has remarked."""
        rewritten = await again(event, job.event_id)
        if isinstance(rewritten, NotRewritten):
            store.hold(job, event.post_id, event.route_id, f"it could not be rewritten again: {rewritten.reason}")
            return [rewritten.event()]
        store.add(job, rewritten)
        if rewritten.asked.refusal is not None:
            store.hold(job, event.post_id, event.route_id, f"the model refused: {rewritten.asked.refusal}")
        else:
            store.keep_image(job, event.post_id, event.rewrite_id, rewritten.id)
        return [*rewritten.events()]

    async def write_requested(event: ContentRequested, job: Job) -> Sequence[Event]:
        """Write a post from its brief."""
        written = await write(event.content_id, job.event_id)
        store.add(job, written)
        return [*written.events()]

    async def trial_requested(event: TrialRequested, job: Job) -> Sequence[Event]:
        """Do a run of a trial."""
        tried = await try_profile(event.trial_id, event.number, job.event_id)
        store.end(job, tried.row())
        return []

    service.consume("rewriter", rewrite_collected, QUEUE_DEFAULTS)
    service.consume("rewriter-again", rewrite_requested, QUEUE_DEFAULTS)
    service.consume("rewriter-contents", write_requested, QUEUE_DEFAULTS)
    service.consume("rewriter-trials", trial_requested, QUEUE_DEFAULTS)
