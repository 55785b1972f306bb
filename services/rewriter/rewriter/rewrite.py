"""Rewrite a post, once for each route of its source."""

import logging
from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from common.catalog import Route
from common.events import Event, ImageRequested, NotifyRequested, PostRewritten, derive
from common.failures import Reject, Skip
from common.planning.deciding import asked_length, wants_image
from common.posts import Post
from common.spending.calls import Purpose
from common.telegram.markdown_writer import to_markdown
from common.telegram.titles import titled
from rewriter.asking import Asked, Asking
from rewriter.ports import RecentPost, Records
from rewriter.prompt import Brief

log = logging.getLogger(__name__)

CONSUMER = "rewriter"


@dataclass(frozen=True, slots=True)
class Rewrite:
    """What the model made of a post for one route. `illustrate`: it is to have an image, if it has a text."""

    id: UUID
    post_id: UUID
    route_id: UUID
    profile_id: UUID
    asked: Asked
    illustrate: bool = False
    held: bool = False  # a person asked for it, and decides about it

    def events(self) -> Iterator[Event]:
        """Yield what to tell: the post was rewritten, perhaps with a request for its image; or the model refused to
        and people should know.
        """
        if self.asked.refusal is not None:
            yield NotifyRequested(
                kind="rewriter.refused",
                title="The model refused to rewrite a post",
                detail=f"{self.asked.refusal} (post {self.post_id}, model {self.asked.model})",
                fingerprint=f"rewriter.refused/{self.route_id}",
                post_id=self.post_id,
            )
            return
        answer = self.asked.answer
        illustrate = self.illustrate and answer is not None
        yield PostRewritten(
            post_id=self.post_id, route_id=self.route_id, rewrite_id=self.id, illustrate=illustrate, held=self.held
        )
        if illustrate and answer:
            yield ImageRequested(post_id=self.post_id, rewrite_id=self.id, prompt=answer.image_prompt or None)


@dataclass(frozen=True, slots=True)
class RouteFailed:
    """A route for which the post could not be rewritten, while it was for another one."""

    post_id: UUID
    route: Route
    error: Reject

    def event(self) -> Event:
        """Return what people are told."""
        return NotifyRequested(
            kind="rewriter.route_failed",
            severity="error",
            title=f"The route {self.route.name} gets no rewrite: {self.error}"[:200],
            detail=f"{self.error} (post {self.post_id}, route {self.route.id}). The post's other routes go on.",
            fingerprint=f"rewriter.route_failed/{self.route.id}",
            post_id=self.post_id,
        )


class RewritePost:
    """Rewrites posts for the routes of their sources."""

    def __init__(self, records: Records, ask: Asking, *, recent_posts: int) -> None:
        self._records = records
        self._ask = ask
        self._recent_posts = recent_posts

    async def __call__(self, post_id: UUID, request: str) -> tuple[list[Rewrite], list[RouteFailed]]:
        """Return a rewrite for each route, and the routes that failed. The same `request` always gives the same ids.

        Raises Skip for a duplicate and where there is no route, and Reject where the post does not exist, or the model
        gives no usable answer for a route and none of the others has a text to publish.
        """
        post = await self._records.post(post_id)
        if post is None:
            raise Reject(f"there is no post {post_id}")
        if post.duplicate_of is not None:
            raise Skip(f"a duplicate of {post.duplicate_of}")
        routes = await self._records.routes_of(post.source_id)
        if not routes:
            raise Skip("no route for this source")
        pictured = any(route.illustrate for route in routes) and await self._records.has_picture(post_id)
        if len(routes) > 1:  # none is paid for again and again while the budget of another one is used up
            for route in routes:
                if profile := await self._records.profile(route.profile_id):
                    await self._ask.allowed(profile, purpose_of(post, route, request))
        rewrites, failed = [], []
        for route in routes:
            try:
                asked = await self.rewritten(post, route, purpose_of(post, route, request))
            except Reject as error:
                log.warning("post %s: the route %s gets no rewrite: %s", post.id, route.name, error)
                failed.append(RouteFailed(post.id, route, error))
                continue
            rewrite_id = derive("rewrite", post.id, route.id, request)
            illustrate = wants_image(route, pictured=pictured, text=asked.answer is not None)
            rewrites.append(Rewrite(rewrite_id, post.id, route.id, route.profile_id, asked, illustrate=illustrate))
        if failed and all(rewrite.asked.refusal is not None for rewrite in rewrites):
            raise failed[0].error
        return rewrites, failed

    async def rewritten(self, post: Post, route: Route, purpose: Purpose, remark: str = "") -> Asked:
        """Return what the model made of a post for a route; `remark` is an editor's, to a rewrite before.

        Raises Reject where it gives no usable answer.
        """
        profile = await self._records.profile(route.profile_id)
        if profile is None:
            raise Reject(f"the route {route.name} has no profile {route.profile_id}")
        material = titled(post.title, post.body.trimmed())
        if not material.text:  # photos without a caption: there is nothing to ask a model for
            return Asked(model="")
        source = await self._records.source(post.source_id) if post.source_id else None
        brief = Brief(
            profile=profile,
            markdown=to_markdown(material),
            limit=asked_length(profile.max_length, media=bool(post.media) or route.illustrate),
            source_title=source.title if source else "",
            url=post.url,
            recent=await self._recent(post, route),
            remark=remark,
        )
        return await self._ask(brief, material, purpose)

    async def _recent(self, post: Post, route: Route) -> list[RecentPost]:
        if not self._recent_posts:
            return []
        recent = await self._records.recent(route.targets)
        return [each for each in recent if each.post_id != post.id][: self._recent_posts]


def purpose_of(post: Post, route: Route, request: str) -> Purpose:
    """Return what a post is rewritten for."""
    return Purpose(CONSUMER, request, post.id, route.id, route.name, route.profile_id)
