"""The overview: how everything stands, at a look."""

from typing import Literal
from uuid import UUID

from nats.js import JetStreamContext
from pydantic import Field

from api.http.calls import Calling
from api.http.routes import resource
from api.http.values import Answer, Utc
from api.resources.budgets import Budget
from api.resources.queues import QueueSummary, summary
from common.overview import read_overview
from common.postgres import Database

router = resource("overview")


class Waiting(Answer):
    """What waits for a person."""

    awaiting: int = Field(description="posts to approve or to reject")
    awaiting_since: Utc | None
    dead_letters: int
    dead_consumer: str | None = Field(description="of the commonest cause of dead letters")
    dead_error: str | None
    dead_of_cause: int | None
    alerts: int = Field(description="that fire and that nobody has seen")


class FiringAlert(Answer):
    """An alert that fires and that nobody has seen."""

    id: UUID
    kind: str
    severity: str
    title: str
    since: Utc


class Flow(Answer):
    """What each stage did in the last 24 hours, in posts."""

    collected: int
    duplicates: int
    rewritten: int
    refused: int
    illustrated: int
    approved: int
    rejected: int
    published: int
    deliveries: int = Field(description="publications: a post at two targets counts twice")
    not_published: int
    broadcast_messages: int


class Ledger(Answer):
    """Where all posts are, as the latest verification found it."""

    at: Utc
    balanced: bool
    collected: int
    states: dict[str, int]


class Happened(Answer):
    """Something that became of a post."""

    what: Literal["collected", "duplicate", "rewritten", "published", "failed"]
    at: Utc
    post_id: UUID
    title: str
    detail: str


class ServiceState(Answer):
    """How many replicas of a service are ready, are not, and were not heard of for 15 seconds."""

    service: str
    ready: int
    not_ready: int
    silent: int
    detail: str | None


class Overview(Answer):
    """Everything, at a time."""

    at: Utc
    waiting: Waiting
    alerts: list[FiringAlert]
    flow: Flow
    ledger: Ledger | None
    queues: list[QueueSummary]
    latest: list[Happened]
    services: list[ServiceState]
    spent_usd: float = Field(description="on models, in the last 24 hours")
    budgets: list[Budget]


@router.get("")
async def get_overview(call: Calling) -> Overview:
    """Read how everything stands."""
    return await look(call.database, call.system.nats.jetstream())


async def look(database: Database, stream: JetStreamContext) -> Overview:
    """Return how everything stands."""
    found = await read_overview(database, stream)
    values = {name: getattr(found, name) for name in Overview.model_fields if name != "queues"}
    return Overview.model_validate({**values, "queues": [summary(each) for each in found.queues]}, from_attributes=True)
