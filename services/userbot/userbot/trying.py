"""The single steps of a send: asking for leave, trying, looking for it, recording what came of it."""

import asyncio
import logging
import random
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime

from opentelemetry import trace

from common.limits import Pacing
from common.messaging.queue import Queue
from common.postgres import UNREACHABLE
from common.sends import Away, Inconclusive, Trouble, Unanswered, Wait
from common.telemetry import names
from common.telemetry.propagation import stored_trace
from userbot.metering import BroadcastMetrics
from userbot.outcomes import success
from userbot.ports import Place, Platform
from userbot.store import Leave, Result, Store
from userbot.task import Cancelled, Chat, Lost, Material, Parked, Paused, Task

log = logging.getLogger(__name__)

LOOK_SECONDS = 1.0  # between looks whether a person has decided otherwise, while there is something to wait for
AWAITED_SECONDS = 10.0  # a send that takes longer is told of; most of that may be an upload
FINISH_SECONDS = 5.0  # for the send that is under way when the work is to stop


@dataclass(frozen=True, slots=True)
class Rules:
    """How it is sent: the seconds between two chats, and how often and for how long one send is repeated."""

    shortest: float
    longest: float
    queue: Queue
    unknown_after: float

    def pause(self) -> float:
        """Return how long to wait until the next chat, anew each time."""
        return random.uniform(self.shortest, self.longest)


class Waiting:
    """What the account waits for, for people to see; a wait between two chats is nothing to tell."""

    def __init__(self, longest: float) -> None:
        self.awaited_since: datetime | None = None
        self._longest = longest
        self._reason: str | None = None
        self._until = 0.0

    def tell(self, seconds: float, reason: str | None = None) -> None:
        """Note a wait; the reason is kept until the wait is over."""
        self._reason = reason or (self._reason if seconds > 0 else None)
        self._until = time.monotonic() + seconds

    @property
    def problem(self) -> str | None:
        """Why nothing is sent now, where the wait is longer than one between chats."""
        awaited = self.awaited_since
        if awaited and (datetime.now(UTC) - awaited).total_seconds() > AWAITED_SECONDS:
            return f"an answer of Telegram is awaited since {awaited:%H:%M:%S} UTC"
        left = self._until - time.monotonic()
        if left <= 0 or (self._reason is None and left <= self._longest):
            return None
        return f"waits for {left:.0f} s more: {self._reason or 'Telegram had asked for it'}"


class Trying:
    """The steps for one task."""

    def __init__(
        self,
        task: Task,
        material: Material,
        store: Store,
        platform: Platform,
        pacing: Pacing,
        rules: Rules,
        waiting: Waiting,
        *,
        tracer: trace.Tracer,
        metrics: BroadcastMetrics,
    ) -> None:
        self.rules = rules
        self.waiting = waiting
        self._task = task
        self._material = material
        self._store = store
        self._platform = platform
        self._pacing = pacing
        self._tracer = tracer
        self._ended = metrics.ended
        self._seconds = metrics.seconds.labels(store.account)

    async def allowed(self, chat: Chat, place: Place | None, *, write: bool) -> Leave:
        """Wait until nothing stands in the way any more but what lies in the chat itself, or it is in the fog.

        With `write`, the try is written down by then. Raises BrokenOff where a person has decided so.
        """
        while True:
            leave = await self._begin(chat, place, write=write)
            _obey(leave)
            self.waiting.tell(leave.wait)
            if leave.verdict != "wait" or chat.in_fog:
                return leave
            await asyncio.sleep(min(LOOK_SECONDS, leave.wait))

    async def idle(self, seconds: float) -> None:
        """Wait, unless a person decides otherwise meanwhile."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            await asyncio.sleep(min(LOOK_SECONDS, left))
            nowhere = Chat("")
            _obey(await self._store.begin(self._task, nowhere, None, self._material, write=False))

    async def block(self, wait: Wait) -> None:
        """Let the account wait, and notice meanwhile what a person decides."""
        log.warning("%s waits for %.0f s: %s", self._store.account, wait.seconds, wait)
        await self._pacing.block(f"userbot:{self._store.account}", wait.seconds)
        self.waiting.tell(wait.seconds, str(wait))
        await self.idle(wait.seconds)

    async def send(self, chat: Chat, place: Place, leave: Leave) -> tuple[int, ...]:
        """Make one try. One that is under way when the work is to stop is finished, and recorded if it went well."""
        trace_of = stored_trace(self._task.traceparent)
        with self._tracer.start_as_current_span("userbot send", context=trace_of) as span, self._seconds.time():
            if self._task.post_id:
                span.set_attribute(names.ATTRIBUTE_POST, str(self._task.post_id))
            span.set_attribute(names.ATTRIBUTE_DESTINATION, f"telegram:{chat.address}")
            span.set_attribute(names.ATTRIBUTE_BROADCAST, str(self._task.id))
            self.waiting.awaited_since = chat.doubtful_since or leave.now
            sending = asyncio.ensure_future(self._platform.send(chat.address, self._material, leave.random_ids))
            try:
                return await asyncio.shield(sending)
            except asyncio.CancelledError:
                await asyncio.wait([sending], timeout=FINISH_SECONDS)
                if sending.done() and not sending.cancelled() and sending.exception() is None:
                    await self._record_late(
                        chat, place, success(chat, place, sending.result(), pause=self.rules.pause())
                    )
                sending.cancel()
                raise
            finally:
                self.waiting.awaited_since = None

    async def ready(self) -> None:
        """Return when the session can be used again. Raises Away where that is not so now."""
        try:
            await self._platform.ready()
        except Wait as wait:
            await self.block(wait)
        except Trouble as error:
            raise Away(str(error)) from None

    async def found(self, chat: Chat, place: Place) -> tuple[int, ...] | None:
        """Look for what may have been sent, as often as a send is tried. Raises Refused, Inconclusive and Away."""
        looks = 0
        while True:
            try:
                return await self.find(chat, place)
            except Wait as wait:
                await self.block(wait)
            except (Trouble, Unanswered) as error:
                log.warning("task %s, %s: looking for it: %s", self._task.id, chat.address, error)
                looks += 1
                if looks >= self.rules.queue.settings.max_attempts:
                    raise Inconclusive(str(error)) from None
                await self.idle(self.rules.queue.backoff(looks))
                await self.ready()

    async def find(self, chat: Chat, place: Place) -> tuple[int, ...] | None:
        """Look once."""
        since = chat.doubtful_since or datetime.now(UTC)
        taken = await self._store.taken(place.id, since)
        return await self._platform.find(chat.address, self._material, since, taken)

    async def record(self, chat: Chat, place: Place | None, result: Result) -> None:
        """Record what came of a try, or of a chat without one; also when the work is to stop meanwhile. Raises Lost."""
        recording = asyncio.ensure_future(self._store.record(self._task, chat, place, result))
        try:
            await asyncio.shield(recording)
        except asyncio.CancelledError:
            await asyncio.wait([recording], timeout=FINISH_SECONDS)
            raise
        self._ended.labels(self._store.account, "doubtful" if result.outcome == "sending" else result.outcome).inc()
        if result.outcome in ("refused", "unknown"):
            log.warning("task %s, %s: %s: %s", self._task.id, chat.address, result.outcome, result.error)

    def doubt(self, chat: Chat, leave: Leave) -> None:
        """Note that it may have been sent by the try that was allowed so."""
        if not chat.doubtful:
            chat.doubtful_since, chat.doubt_of = leave.now, self._store.account
            chat.doubtful_until = time.monotonic() + self.rules.unknown_after

    async def _begin(self, chat: Chat, place: Place | None, *, write: bool) -> Leave:
        """Ask for leave. A try that was written down when the work is to stop, and not made, is no doubt."""
        last = chat.attempt
        beginning = asyncio.ensure_future(self._store.begin(self._task, chat, place, self._material, write=write))
        try:
            return await asyncio.shield(beginning)
        except asyncio.CancelledError:
            await asyncio.wait([beginning], timeout=FINISH_SECONDS)
            if chat.attempt != last:  # or it was not written down, and an earlier one is in doubt as before
                await self._record_late(chat, place, Result("retry", "stopped before it was made"))
            raise

    async def _record_late(self, chat: Chat, place: Place | None, result: Result) -> None:
        with suppress(Lost, *UNREACHABLE):
            async with asyncio.timeout(FINISH_SECONDS):
                await self.record(chat, place, result)


def _obey(leave: Leave) -> None:
    match leave.verdict:
        case "lost":
            raise Lost("the task is no longer ours")
        case "cancelled":
            raise Cancelled("a person has cancelled it")
        case "paused" | "all_paused" | "stopped":
            raise Paused(leave.verdict)
        case "capped":
            raise Parked("the account has sent to as many chats in 24 hours as it may")
