"""Broadcasting: sending a post, or a text, to many chats as a user account."""

from typing import Annotated, ClassVar, Literal, Self
from uuid import UUID

from pydantic import AwareDatetime, BeforeValidator, Field, WithJsonSchema, model_validator

from common.events.envelope import Event, derive

BroadcastStatus = Literal["done", "failed", "cancelled"]
ChatAddress = Annotated[
    str,
    BeforeValidator(lambda value: str(value) if isinstance(value, int) else value),
    WithJsonSchema({"type": ["string", "integer"]}),
]


class BroadcastRequested(Event):
    """Send a post, or the text that the request carries, to chats; without chats to TARGET_CHAT_IDS of the worker."""

    subject: ClassVar[str] = "broadcast.requested"

    post_id: UUID | None = None
    text: str | None = Field(default=None, min_length=1, description="Telegram markdown; only without a post_id")
    target_chat_ids: tuple[ChatAddress, ...] = Field(default=(), description="marked ids (-100…) or @names")
    forward: bool = Field(default=False, description="forward the published message instead of sending a copy")
    account: str | None = Field(default=None, description="the account that sends; left out: whichever is free")
    not_before: AwareDatetime | None = None
    route_id: UUID | None = Field(default=None, description="the route that asks for it, once for each of its posts")

    def identity(self) -> UUID | None:
        """A route broadcasts a post once, however often it is published."""
        return derive(self.wire_name(), self.post_id, self.route_id) if self.route_id else None

    @model_validator(mode="after")
    def _names_a_post_or_carries_a_text(self) -> Self:
        if (self.text is None) == (self.post_id is None):
            raise ValueError("give either post_id, or a text of its own")
        if self.forward and self.post_id is None:
            raise ValueError("only a post that was published can be forwarded")
        return self


class BroadcastResult(Event):
    """A broadcast has ended."""

    subject: ClassVar[str] = "broadcast.result"

    task_id: UUID
    post_id: UUID | None = None
    status: BroadcastStatus
    account: str | None = None
    sent_count: int = Field(ge=0)
    error_count: int = Field(ge=0)
    skipped_count: int = Field(default=0, ge=0, description="chats that were left out without an error")
    last_error: str | None = None
