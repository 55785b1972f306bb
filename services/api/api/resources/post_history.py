"""What became of a post, stage by stage, as the API answers it."""

from typing import Any
from uuid import UUID

from pydantic import Field

from api.http.values import Answer, Utc
from common.telegram.entities import Entity


class Medium(Answer):
    """A photo or file that a post came with; `hash` where it is in the store, `problem` where it could not be."""

    position: int
    kind: str
    mime_type: str
    size_bytes: int | None
    details: dict[str, Any]
    hash: str | None
    problem: str | None


class AttachedImage(Answer):
    """An image that the post has."""

    place: str
    hash: str
    attached_at: Utc


class Illustration(Answer):
    """What came of a request for an image."""

    id: str
    rewrite_id: UUID | None
    status: str
    hash: str | None
    reason: str | None
    prompt: str
    model: str
    cost_usd: float
    created_at: Utc


class Rewrite(Answer):
    """What the model made of the post for one route; `route_id` is null where it was written from a brief."""

    id: UUID
    route_id: UUID | None
    profile_id: UUID | None
    profile_version: int | None = Field(description="null: before there were versions, or no model was asked")
    status: str
    reason: str | None
    title: str
    text: str
    entities: list[Entity]
    hashtags: list[str]
    language: str
    image_prompt: str
    model: str
    remark: str = Field(description="of the person who asked for another one")
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    duration_ms: int
    created_at: Utc


class Edit(Answer):
    """What a person wrote in place of a rewrite, or of the original where `rewrite_id` is null."""

    id: UUID
    rewrite_id: UUID | None
    title: str
    text: str
    entities: list[Entity]
    edited_by: str
    edited_at: Utc


class Routing(Answer):
    """What was decided for a route: publish, schedule, hold, illustrate, rewrite or reject."""

    route_id: UUID
    rewrite_id: UUID
    decision: str
    reason: str
    targets: list[str]
    decided_at: Utc
    decided_by: str | None


class PostJob(Answer):
    """Work on the post."""

    consumer: str
    event_id: str
    queue: str
    status: str
    attempts: int
    crashes: int
    last_error: str | None
    trace_id: str | None
    created_at: Utc
    started_at: Utc
    finished_at: Utc | None


class Scheduled(Answer):
    """A plan to publish it."""

    id: UUID
    target: str
    scheduled_time: Utc
    status: str
    attempts: int
    request_id: str | None
    last_error: str | None
    created_by: str
    created_at: Utc


class Package(Answer):
    """A publish request."""

    id: str
    rewrite_id: UUID | None
    status: str
    reason: str | None
    requested_at: Utc
    finished_at: Utc | None


class Publication(Answer):
    """The post at one target."""

    id: UUID
    package_id: str
    destination: str
    status: str
    message_ids: list[int]
    url: str | None = Field(description="where it can be read")
    text: str
    attempts: int
    last_error: str | None
    created_at: Utc
    first_try_at: Utc | None
    finished_at: Utc | None


class PostBroadcast(Answer):
    """A broadcast of the post."""

    id: UUID
    status: str
    account: str | None
    sent_count: int
    error_count: int
    skipped_count: int
    last_error: str | None
    created_at: Utc
    finished_at: Utc | None


class PostNotification(Answer):
    """What people were told of the post."""

    id: UUID
    kind: str
    severity: str
    title: str
    count: int
    last_at: Utc
