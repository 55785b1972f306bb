"""Rewrite a post once more for a route that holds it, as a person has remarked."""

from dataclasses import dataclass

from common.events import NotifyRequested, RewriteRequested, derive
from common.failures import Reject, Skip
from common.planning.deciding import wants_image
from common.spending.calls import Purpose
from rewriter.ports import Records
from rewriter.rewrite import Rewrite, RewritePost

CONSUMER = "rewriter-again"


@dataclass(frozen=True, slots=True)
class NotRewritten:
    """There is no other rewrite: the one before is held as it was."""

    request: RewriteRequested
    reason: str

    def event(self) -> NotifyRequested:
        """Return what people are told."""
        return NotifyRequested(
            kind="rewriter.not_rewritten_again",
            title=f"A post could not be rewritten again: {self.reason}"[:200],
            detail=f"{self.reason} (post {self.request.post_id}, route {self.request.route_id}). "
            "It awaits approval as it was.",
            fingerprint=f"rewriter.not_rewritten_again/{self.request.route_id}",
            post_id=self.request.post_id,
        )


class RewriteAgain:
    """Rewrites a post for one route by an editor's remark."""

    def __init__(self, records: Records, rewrite: RewritePost) -> None:
        self._records = records
        self._rewrite = rewrite

    async def __call__(self, event: RewriteRequested, request: str) -> Rewrite | NotRewritten:
        """Return another rewrite, or why there is none. The same `request` always gives the same id.

        Raises Skip where there is nothing to be held, and what the model raises where it is away.
        """
        post = await self._records.post(event.post_id)
        if post is None or post.duplicate_of is not None:
            raise Skip(f"there is no post {event.post_id}, or it is a duplicate")
        route = await self._records.route(event.route_id)
        if route is None:
            return NotRewritten(event, "its route does not exist any more")
        purpose = Purpose(CONSUMER, request, post.id, route.id, route.name, route.profile_id)
        try:
            asked = await self._rewrite.rewritten(post, route, purpose, event.remark)
        except Reject as error:
            return NotRewritten(event, str(error))
        asked.remark = event.remark
        pictured = await self._records.has_picture(post.id) or await self._records.has_image(post.id, event.rewrite_id)
        rewrite_id = derive("rewrite", post.id, route.id, request)
        illustrate = wants_image(route, pictured=pictured, text=asked.answer is not None)
        return Rewrite(rewrite_id, post.id, route.id, route.profile_id, asked, illustrate=illustrate, held=True)
