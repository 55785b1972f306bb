"""Publishing: the request, as a service emits it or a person types it, and what came of it."""

from typing import ClassVar, Literal, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, model_validator

from common.events.envelope import Event

PublishStatus = Literal["succeeded", "failed", "cancelled"]


class RequestedMedia(BaseModel):
    """A photo to publish with the request's own text."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    kind: Literal["photo"] = "photo"
    url: str


class PublishRequested(Event):
    """Publish a post that is known (`post_id`), or the text and media that the request itself carries.

    Without targets a post goes to the targets of its routes. `targets` are `platform:address`, for example
    `telegram:@channel`.
    """

    subject: ClassVar[str] = "publish.requested"

    post_id: UUID | None = None
    rewrite_id: UUID | None = None
    text: str | None = Field(default=None, description="Telegram markdown; only without a post_id")
    media: tuple[RequestedMedia, ...] = ()
    targets: tuple[str, ...] = ()
    illustrate: bool = Field(default=False, description="have an image made first; only with a post_id")

    @model_validator(mode="after")
    def _names_a_post_or_carries_one(self) -> Self:
        own = self.text is not None or bool(self.media)
        if own == (self.post_id is not None):
            raise ValueError("give either post_id, or text and media of its own")
        if own and not self.targets:
            raise ValueError("a request with its own text must name its targets")
        if own and self.illustrate:
            raise ValueError("an image can be made for a post that is known, not for a request's own text")
        return self


class TargetResult(BaseModel):
    """What happened at one target."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    target: str
    status: Literal["succeeded", "failed", "cancelled", "unknown"]
    message_ids: tuple[int, ...] = ()
    url: str | None = None
    error: str | None = None


class PublishResult(Event):
    """A publish request has ended, at all of its targets."""

    subject: ClassVar[str] = "publish.result"

    package_id: str
    post_id: UUID
    rewrite_id: UUID | None = None
    status: PublishStatus
    reason: str | None = None
    targets: tuple[TargetResult, ...]
