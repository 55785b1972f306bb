"""Illustrate a post: have an image made, and keep it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

from common.events import Event, ImageFailed, ImageGenerated, ImageRequested, NotifyRequested
from common.failures import Reject, Retry, Skip
from common.media.pictures import NotAPicture
from common.media.store import StoreUnavailable
from common.model.troubles import ModelUnavailable
from common.spending.calls import Purpose
from imagegen.ports import Album, ContentRefused, Drawn, Painter, Records
from imagegen.prompt import prompt_for

log = logging.getLogger(__name__)

Outcome = Literal["generated", "refused", "failed"]
CONSUMER = "imagegen"


@dataclass(frozen=True, slots=True)
class Chance:
    """Which attempt this is, and whether a failure now is final: in general, and for what only waits."""

    attempt: int = 1
    last: bool = False
    overdue: bool = False

    def ends_with(self, error: Exception) -> bool:
        """Return whether there is no other chance after this failure."""
        return self.overdue and error.bounded if isinstance(error, Retry) else self.last


@dataclass(frozen=True, slots=True)
class Illustration:
    """What came of a request: an image, or the reason why there is none. `drawn` is what the model did for it now."""

    request: str
    wanted: ImageRequested
    prompt: str
    model: str
    size: str
    outcome: Outcome
    attempt: int
    image: str | None = None
    reason: str | None = None
    drawn: Drawn | None = None

    @property
    def place(self) -> str:
        """Where the image is attached."""
        return f"rewrite/{self.wanted.rewrite_id}" if self.wanted.rewrite_id else "post"

    def events(self) -> Sequence[Event]:
        """Return the fact to tell, and of a failure what people should know."""
        told = self.wanted.model_dump(include={"post_id", "rewrite_id", "publish_to"})
        if self.image is not None:
            return [ImageGenerated(request_id=self.request, image=self.image, **told)]
        reason = self.reason or ""
        title = "The model refused to illustrate a post" if self.outcome == "refused" else "A post gets no image"
        return [
            ImageFailed(request_id=self.request, reason=reason, **told),
            NotifyRequested(
                kind=f"imagegen.{self.outcome}",
                title=title,
                detail=f"{reason} (post {self.wanted.post_id}, model {self.model}, attempt {self.attempt})",
                fingerprint=f"imagegen.{self.outcome}",
                post_id=self.wanted.post_id,
            ),
        ]


class IllustratePost:
    """Has images made for posts."""

    def __init__(self, records: Records, painter: Painter, album: Album) -> None:
        self._records = records
        self._painter = painter
        self._album = album

    async def __call__(self, wanted: ImageRequested, request: str, chance: Chance) -> Illustration:
        """Return what came of it. What was made for the same `request` before is not paid for again.

        Raises Skip for a duplicate, Reject where the post or its rewrite does not exist, Retry while the model is busy
        or can't be used, and where this is not the last chance whatever kept it from being made.
        """
        prompt, purpose = await self._task(wanted, request)
        if made := await self._records.made(request):
            return Illustration(
                request, wanted, made.prompt, made.model, made.size, "generated", chance.attempt, made.hash
            )
        asked = (request, wanted, prompt, self._painter.model, self._painter.size)
        if not prompt:
            nothing = "there is nothing to draw: the post has no text, and the request no prompt"
            return Illustration(*asked, "failed", chance.attempt, reason=nothing)
        drawn: Drawn | None = None
        try:
            drawn = await self._painter.draw(prompt, purpose)
            asked = (request, wanted, prompt, drawn.model, self._painter.size)
            image = await self._album.keep_picture(drawn.content, origin="generated")
        except ContentRefused as refusal:
            return Illustration(*asked, "refused", chance.attempt, reason=str(refusal))
        except Reject as error:
            return Illustration(*asked, "failed", chance.attempt, reason=str(error))
        except (Retry, ModelUnavailable, NotAPicture, StoreUnavailable) as error:
            if not chance.ends_with(error):
                raise
            log.warning("post %s gets no image: %s", wanted.post_id, error)
            return Illustration(*asked, "failed", chance.attempt, reason=str(error), drawn=drawn)
        return Illustration(*asked, "generated", chance.attempt, image.hash, drawn=drawn)

    async def _task(self, wanted: ImageRequested, request: str) -> tuple[str, Purpose]:
        """Return what is to be drawn, and for what: as was asked, else as the rewriter suggested, else of the words."""
        post = await self._records.post(wanted.post_id)
        if post is None:
            raise Reject(f"there is no post {wanted.post_id}")
        if post.duplicate_of is not None:
            raise Skip(f"a duplicate of {post.duplicate_of}")
        title, text, suggested = post.title, post.body.text, ""
        purpose = Purpose(CONSUMER, request, post.id)
        if wanted.rewrite_id:
            rewritten = await self._records.rewritten(wanted.rewrite_id)
            if rewritten is None or rewritten.post_id != post.id:
                raise Reject(f"the post {post.id} has no rewrite {wanted.rewrite_id}")
            title, text, suggested = rewritten.title, rewritten.text, rewritten.image_prompt
            purpose = replace(
                purpose, route_id=rewritten.route_id, route=rewritten.route, profile_id=rewritten.profile_id
            )
        return (wanted.prompt or "").strip() or suggested.strip() or prompt_for(title, text), purpose
