"""Sends what webhooks are to be told. Any number of replicas share the work: each delivery is leased to one of them."""

import asyncio
import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import httpx

from api.statements import statement
from api.webhooks.signing import signed
from common.addresses import PinnedTransport, is_any, is_public
from common.events import NotifyRequested
from common.postgres import UNREACHABLE, Database
from common.service import Service

log = logging.getLogger(__name__)

POLL_SECONDS = 0.5
AT_ONCE, AT_ONCE_EACH = 20, 4  # attempts of a replica, and to one webhook by all of them
ATTEMPT_SECONDS = 15.0
LEASE_SECONDS = 60.0  # more than an attempt takes: a delivery whose sender died is taken over then
GONE = 410  # https://www.rfc-editor.org/rfc/rfc9110#status.410: nobody wants to know any more


@dataclass(frozen=True, slots=True)
class Message:
    """A delivery that is to be sent now."""

    id: UUID
    webhook_id: UUID
    url: str
    secret: str
    body: str
    attempts: int  # this one included


@dataclass(frozen=True, slots=True)
class Outcome:
    """How an attempt went: `error` None is a success."""

    status: int | None
    error: str | None


class WebhookSender:
    """Sends. `waits` are the seconds after each failed attempt; after the last one a delivery has failed."""

    def __init__(self, service: Service, waits: Sequence[float], *, allow_private: bool = False) -> None:
        self._service = service
        self._database: Database = service.database
        self._holder = service.rails.ledger.holder
        self._waits = tuple(waits)
        self._allowed = is_any if allow_private else is_public

    async def run(self) -> None:
        """Send for ever."""
        async with httpx.AsyncClient(
            transport=PinnedTransport(allowed=self._allowed),
            timeout=ATTEMPT_SECONDS,
            follow_redirects=False,  # https://www.standardwebhooks.com: a redirect is a failure
            headers={"User-Agent": "Postroom-Webhooks", "Content-Type": "application/json"},
        ) as client:
            sending: set[asyncio.Task[None]] = set()
            async with asyncio.TaskGroup() as group:
                while True:
                    messages = await self._take(AT_ONCE - len(sending)) if len(sending) < AT_ONCE else []
                    sending |= {group.create_task(self._deliver(client, message)) for message in messages}
                    if messages:
                        continue
                    if sending:
                        _, sending = await asyncio.wait(
                            sending, timeout=POLL_SECONDS, return_when=asyncio.FIRST_COMPLETED
                        )
                    else:
                        await asyncio.sleep(POLL_SECONDS)

    async def _take(self, number: int) -> list[Message]:
        attempts = len(self._waits) + 1
        try:
            rows = await self._database.strict.fetch(
                statement("webhooks", "take"), number, self._holder, LEASE_SECONDS, attempts, AT_ONCE_EACH
            )
        except UNREACHABLE as error:
            log.warning("webhooks: %r", error)
            return []
        return [Message(**dict(row)) for row in rows]

    async def _deliver(self, client: httpx.AsyncClient, message: Message) -> None:
        try:
            await self._attempt(client, message)
        except UNREACHABLE as error:  # the database is away: its lease runs out, and it is sent again
            log.warning("webhook %s: %r", message.webhook_id, error)

    async def _attempt(self, client: httpx.AsyncClient, message: Message) -> None:
        outcome = await attempt(client, message)
        failed_for_good = outcome.error is not None and (message.attempts > len(self._waits) or outcome.status == GONE)
        wait = self._waits[min(message.attempts, len(self._waits)) - 1] if self._waits else 0.0
        status = "delivered" if outcome.error is None else "failed" if failed_for_good else "pending"
        await self._database.execute(
            statement("webhooks", "settle"),
            message.id,
            self._holder,
            message.attempts,
            status,
            wait,
            outcome.status,
            outcome.error,
        )
        if outcome.error is None:
            return
        log.info("webhook %s: %s", message.webhook_id, outcome.error)
        if outcome.status == GONE:
            await self._database.execute(statement("webhooks", "disable"), message.webhook_id, "it answered 410 Gone")
        if failed_for_good:
            await self._tell(message, outcome)

    async def _tell(self, message: Message, outcome: Outcome) -> None:
        notice = NotifyRequested(
            kind="api.webhook_failed",
            title=f"A webhook does not take its messages: {httpx.URL(message.url).host}"[:200],
            detail=f"webhook {message.webhook_id}: {outcome.error}, after {message.attempts} attempts",
            fingerprint=f"api.webhook_failed/{message.webhook_id}",
        )
        await self._service.emit([notice], cause=f"webhook/{message.id}/{message.attempts}")


async def attempt(client: httpx.AsyncClient, message: Message) -> Outcome:
    """Send a message once."""
    headers = signed(message.secret, str(message.id), int(time.time()), message.body)
    try:
        async with (
            asyncio.timeout(ATTEMPT_SECONDS),
            client.stream("POST", message.url, content=message.body.encode(), headers=headers) as answer,
        ):
            return Outcome(answer.status_code, None if answer.is_success else f"it answered {answer.status_code}")
    except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, OSError, ValueError) as error:
        return Outcome(None, f"{type(error).__name__}: {error}"[:500])
