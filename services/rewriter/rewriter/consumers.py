"""Subjects and the use cases that they call."""

from collections.abc import Sequence

from common.events import ContentRequested, Event, PostCollected
from common.messaging import Job
from common.service import Service
from rewriter.rewrite import RewritePost
from rewriter.settings import QUEUE_DEFAULTS
from rewriter.store import Store
from rewriter.write import WriteContent


def register(service: Service, rewrite: RewritePost, write: WriteContent, store: Store) -> None:
    """Let the service consume."""

    async def rewrite_collected(event: PostCollected, job: Job) -> Sequence[Event]:
        """Rewrite a post for each route of its source."""
        rewrites, failed = await rewrite(event.post_id, job.event_id)
        for each in rewrites:
            store.add(job, each)
        return [*(event for each in rewrites for event in each.events()), *(each.event() for each in failed)]

    async def write_requested(event: ContentRequested, job: Job) -> Sequence[Event]:
        """Write a post from its brief."""
        written = await write(event.content_id, job.event_id)
        store.add(job, written)
        return [*written.events()]

    service.consume("rewriter", rewrite_collected, QUEUE_DEFAULTS)
    service.consume("rewriter-contents", write_requested, QUEUE_DEFAULTS)
