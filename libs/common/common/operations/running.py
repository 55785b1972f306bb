"""Running operations: step by step, by whoever holds the lease.

A step is noted before it is done, with its keys. So after a death, whoever takes over repeats it, which changes nothing
where it was done, and then goes on; and what the result counts is exact.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from uuid import UUID, uuid4

from nats.errors import Error as NatsError

from common.operations.operation import GONE, Kind, Operation, Outcome
from common.operations.starting import read_filter, statements
from common.postgres import UNREACHABLE, Database, bounded
from common.postgres.listening import listening

log = logging.getLogger(__name__)

CHANNEL = "bulk_operations"
STEP = 100  # keys
LEASE_SECONDS = 20.0
STEP_SECONDS = LEASE_SECONDS / 2  # a step that takes longer is given up and repeated
CHECK_SECONDS = 5.0  # between two looks, in case a notice was lost or a holder died
PAUSE_SECONDS = 2.0  # until it is tried again where a server is away
GIVE_BACK_SECONDS = 2.0
REFUSALS_KEPT = 20
ERROR_LENGTH = 1000

AWAY = (*UNREACHABLE, NatsError)


class Lost(Exception):
    """Somebody else runs the operation by now, or it has ended."""


class OperationRunner:
    """Runs operations, one after another. `lease` is in seconds: after it another runner takes over."""

    def __init__(self, database: Database, kinds: Mapping[str, Kind], *, lease: float = LEASE_SECONDS) -> None:
        self._database = database
        self._kinds = kinds
        self._lease = lease
        self._holder = uuid4()
        self._sql = statements()

    async def run(self, dsn: str) -> None:
        """Run for ever what is asked for; `dsn` is where notices of it are heard."""
        while True:
            try:
                async with listening(dsn, CHANNEL) as notices:
                    while True:
                        while await self.run_next():
                            pass
                        if not await notices.wait(CHECK_SECONDS):
                            await notices.check()
            except UNREACHABLE as error:
                log.warning("operations: %r", error)
            await asyncio.sleep(PAUSE_SECONDS)

    async def run_next(self, operation_id: UUID | None = None) -> bool:
        """Run the oldest operation that nobody runs, or this one, to its end; False where there is none."""
        row = await self._database.strict.fetchrow(self._sql["take"], self._holder, self._lease, operation_id)
        if row is None:
            return False
        operation = Operation.of(row)
        log.info("operation %s: %s of %d begins or goes on", operation.id, operation.kind, operation.total)
        try:
            await self._work(operation)
        except Lost:
            log.warning("operation %s: somebody else has it", operation.id)
        except AWAY as error:
            log.warning("operation %s: %r, again in %g s", operation.id, error, PAUSE_SECONDS)
            await self._give_back(operation, PAUSE_SECONDS)
        except asyncio.CancelledError:  # stopped in order: nobody need wait for the end of the lease
            with contextlib.suppress(*UNREACHABLE):
                await bounded(self._give_back(operation, 0.0), GIVE_BACK_SECONDS)
            raise
        except Exception as error:
            log.exception("operation %s failed", operation.id)
            await self._finish(operation, "failed", f"{type(error).__name__}: {error}"[:ERROR_LENGTH])
        return True

    async def follow(self, operation_id: UUID, look: Callable[[], Awaitable[Operation]], every: float = 0.2) -> None:
        """Return once an operation has ended; run it here where no service lives that would.

        `look` returns it as it stands, and may show it to somebody.
        """
        while not (await look()).ended:
            row = await self._database.fetchrow(self._sql["runs_somewhere"], LEASE_SECONDS)
            if row and row[0]:
                await asyncio.sleep(every)
            else:
                await self._run_here(operation_id, look, every)

    async def _run_here(self, operation_id: UUID, look: Callable[[], Awaitable[Operation]], every: float) -> None:
        running = asyncio.create_task(self.run_next(operation_id))
        while not (await asyncio.wait({running}, timeout=every))[0]:
            await look()
        if not running.result():  # its holder may have died: its lease will end
            await asyncio.sleep(every)

    async def _work(self, operation: Operation) -> None:
        kind = self._kinds.get(operation.kind)
        if kind is None:  # another release has it, or had it
            await self._finish(operation, "failed", f"there is no operation {operation.kind!r} here")
            return
        wanted = read_filter(kind, operation.filter)
        if operation.step:
            operation = await self._step(kind, operation, operation.step, again=True)
        while not operation.cancelled_by:
            keys = await kind.page(wanted, until=operation.created_at, after=operation.position, limit=STEP)
            if not keys:
                await self._finish(operation, "done", None)
                return
            operation = await self._step(kind, operation, keys, again=False)
        await self._finish(operation, "cancelled", None)

    async def _step(self, kind: Kind, operation: Operation, keys: Sequence[str], *, again: bool) -> Operation:
        """Do one step between two notes. Raises Lost."""
        noted = await self._database.strict_fetch(
            self._sql["begin_step"], operation.id, self._holder, list(keys), self._lease
        )
        if not noted:
            raise Lost
        async with asyncio.timeout(min(STEP_SECONDS, self._lease / 2)):
            outcomes = await kind.act(keys, operation)
        refused: list[tuple[str, Outcome]] = [
            (key, outcome)
            for key, outcome in zip(keys, outcomes, strict=True)
            if outcome is not None and not (again and outcome == GONE)
        ]
        kept = [
            {"key": key, "reason": reason} for key, reason in refused[: REFUSALS_KEPT - len(operation.refusals)]
        ]  # fmt: skip
        ended = await self._database.strict.fetchrow(
            self._sql["end_step"], operation.id, self._holder, len(keys) - len(refused), len(refused), kept
        )
        if ended is None:
            raise Lost
        return Operation.of(ended)

    async def _give_back(self, operation: Operation, pause: float) -> None:
        await self._database.execute(self._sql["give_back"], operation.id, self._holder, pause)

    async def _finish(self, operation: Operation, status: str, error: str | None) -> None:
        await self._database.strict_fetch(self._sql["finish"], operation.id, self._holder, status, error)
