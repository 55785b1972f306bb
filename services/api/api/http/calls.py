"""One request of a caller who was let in, as the resources see it."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, TypeVar
from urllib.parse import quote
from uuid import UUID, uuid4

from fastapi import Depends
from nats.aio.client import Client
from opentelemetry import trace
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.http import etags
from api.http.callers import Caller
from api.http.problems import Problem
from api.http.rate import Rate
from api.live.hub import Hub
from common.events import Event
from common.jobs import Jobs
from common.live import Live
from common.media.store import MediaStore
from common.messaging.rails import Rails
from common.messaging.replay import DeadLetters
from common.messaging.within import EmittedWithin
from common.operations import Kind
from common.postgres import Database
from common.tokens import Tokens
from common.users import Sessions

CONSUMER = "api"  # whose events these are in the outbox
Answering = TypeVar("Answering", bound=BaseModel)


@dataclass(frozen=True, slots=True)
class System:
    """What the resources work with."""

    database: Database
    nats: Client
    rails: Rails
    tracer: trace.Tracer
    tokens: Tokens
    sessions: Sessions
    rate: Rate
    media: MediaStore
    dead_letters: DeadLetters
    jobs: Jobs
    kinds: Mapping[str, Kind]  # of bulk operations
    live: Live
    hub: Hub
    allow_private_webhooks: bool = False
    images_made_for: frozenset[str] = frozenset()  # platforms
    settings: Sequence[BaseModel] = ()  # groups, as they were read


@dataclass(slots=True)
class Call:
    """One request. In one that writes, `database` and `rails` are inside its transaction, which ends with it."""

    system: System
    request: Request
    caller: Caller
    database: Database
    rails: "Rails | EmittedWithin"
    headers: dict[str, str] = field(default_factory=dict)  # of the answer
    before: BaseModel | None = None  # of the object that is changed, for the audit log
    recorded: bool = True  # whether it is a change at all, so that the audit log has it
    # What is waited for once the transaction has ended; it may return another answer.
    afterwards: Callable[[], Awaitable[Response | None]] | None = None
    path: str = ""  # of the object, for the audit log as well
    if_match: str | None = None  # the version that the caller changes

    def __post_init__(self) -> None:
        """Begin with the path of the request."""
        self.path = self.path or self.request.url.path

    @property
    def actor(self) -> str:
        """Who calls, as records name it."""
        return self.caller.actor

    @property
    def jobs(self) -> Jobs:
        """The jobs, inside the transaction; messages that wait are called once that has ended."""
        jobs = self.system.jobs.within(self.database, self.rails)
        self.afterwards = jobs.follow
        return jobs

    @property
    def dead_letters(self) -> DeadLetters:
        """The dead letters, inside the transaction; what their stream has of them follows once that has ended."""
        letters = self.system.dead_letters.within(self.database, self.rails)
        self.afterwards = letters.clear
        return letters

    async def emit(self, *events: Event, cause: str | None = None) -> list[str]:
        """Emit events with the transaction and return their ids. The same `cause` never emits twice."""
        emits = await self.rails.tell(events, consumer=CONSUMER, cause=cause or f"api/{uuid4()}")
        return [emit.id for emit in emits]

    async def alone_with(self, noun: str, key: UUID | str) -> None:
        """Wait until no other request changes this object; until this one ends, none will."""
        await self.database.fetchrow("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))", f"api/{noun}/{key}")

    def tagged(self, answer: Answering) -> Answering:
        """Give the answer its ETag."""
        self.headers["ETag"] = etags.etag_of(answer)
        return answer

    def changing(self, current: BaseModel) -> None:
        """Say what is about to be changed. Raises a problem where If-Match names another version of it."""
        etags.check(self.if_match, current)
        self.before = current

    def created(self, key: object) -> None:
        """Say where the new resource is."""
        self.path = f"{self.path.rstrip('/')}/{key}"
        self.headers["Location"] = quote(self.path, safe="/:@")


def found(answer: Answering | None, what: str) -> Answering:
    """Return an answer. Raises a problem where there is none."""
    if answer is None:
        raise Problem("not-found", f"there is no such {what}")
    return answer


def _call(request: Request) -> Call:
    call: Call = request.state.call
    return call


Calling = Annotated[Call, Depends(_call)]
