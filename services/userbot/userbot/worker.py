"""The worker of an account: takes one task at a time, and sees to it that each ends or goes back."""

import asyncio
import logging

from common.bell import Bell
from common.leases import LeaseLost
from common.messaging.queue import Queue
from common.postgres import UNREACHABLE, Database
from common.sends import Away, Trouble, Wait
from common.telemetry.logs import logged_about
from userbot.broadcasting import Broadcasting
from userbot.endings import Endings
from userbot.lease import TaskLease
from userbot.metering import BroadcastMetrics
from userbot.ports import ContentMissing, Platform, SpamBlocked
from userbot.store import Store
from userbot.task import AccountStopped, BrokenOff, Cancelled, Failed, Lost, Parked, Paused, Task

log = logging.getLogger(__name__)

AWAY_SECONDS = 1.0  # between looks whether Telegram and the database are back
LEAVE_SECONDS = 2.5  # for giving a task back when the work is to stop
DUE_SECONDS = 0.02  # after a task is due, by when the database sees it so as well


class Worker:
    """Works for ever. `lease_seconds` is the time to live of a task's lease."""

    def __init__(
        self,
        database: Database,
        store: Store,
        endings: Endings,
        platform: Platform,
        broadcasting: Broadcasting,
        queue: Queue,
        metrics: BroadcastMetrics,
        *,
        poll_seconds: float,
        max_attempts: int,
        lease_seconds: float,
    ) -> None:
        self.bell = Bell(poll_seconds)
        self.obstacle: str | None = None
        self._database = database
        self._store = store
        self._endings = endings
        self._platform = platform
        self._broadcasting = broadcasting
        self._queue = queue
        self._open = metrics.open.labels(store.account)
        self._max_attempts = max_attempts
        self._lease_seconds = lease_seconds

    async def keep(self) -> None:
        """Carry out tasks for ever; when cancelled, finish the send under way and give the task back."""
        await self._store.appear()
        while True:
            try:
                await self._platform.ready()
                if task := await self._store.take(self._lease_seconds):
                    self.obstacle = None
                    with logged_about(task.post_id, task.traceparent):
                        await self._work(task)
                else:
                    await self._wait()
            except SpamBlocked as blocked:
                await self._endings.stop_account(None, str(blocked))
            except (Away, Wait, Trouble) as away:
                log.debug("%s: %s", self._store.account, away)
                await self.bell.wait(AWAY_SECONDS)
            except UNREACHABLE as error:
                log.warning("%s: %r", self._store.account, error)
                await asyncio.sleep(AWAY_SECONDS)

    async def _wait(self) -> None:
        count, due_in = await self._store.outlook()
        self.obstacle = await self._store.obstacle()
        self._open.set(count)
        await self.bell.wait(None if due_in is None else due_in + DUE_SECONDS)

    async def _work(self, task: Task) -> None:
        log.info("task %s is taken, attempt %d", task.id, task.attempts)
        lease = TaskLease(self._database, task, ttl=self._lease_seconds)
        try:
            with self._queue.at_work():
                async with lease.held(f"task {task.id}"):
                    await self._broadcasting.carry_out(task)
        except (Lost, LeaseLost):
            log.warning("task %s is lost: somebody else may have it now", task.id)
        except asyncio.CancelledError:
            await self._give_back(task)
            raise
        except BrokenOff as why:
            await self._break_off(task, why)
        except UNREACHABLE:  # its lease ends by itself, and it goes on where it was
            raise
        except ContentMissing as error:
            log.warning("task %s: attempt %d: %s", task.id, task.attempts, error)
            await self._repeat(task, str(error))
        except Exception as error:
            log.exception("task %s: attempt %d", task.id, task.attempts)
            await self._repeat(task, f"{type(error).__name__}: {error}")
        else:
            await self._endings.done(task)

    async def _break_off(self, task: Task, why: BrokenOff) -> None:
        match why:
            case Cancelled():
                await self._endings.cancelled(task)
            case AccountStopped():
                await self._endings.stop_account(task, str(why))
            case Paused():
                await self._endings.park(task, None)
            case Parked():
                await self._endings.park(task, str(why))
                await asyncio.sleep(AWAY_SECONDS)
            case Failed():
                await self._endings.failed(task, str(why))

    async def _repeat(self, task: Task, error: str) -> None:
        """Let a task come again after something went wrong with it as a whole, or give it up."""
        if task.attempts >= self._max_attempts:
            await self._endings.failed(task, error)
        else:
            await self._endings.park(task, error, counted=True, after=self._queue.backoff(task.attempts))

    async def _give_back(self, task: Task) -> None:
        try:
            async with asyncio.timeout(LEAVE_SECONDS):
                await self._endings.park(task, None)
        except UNREACHABLE as error:  # its lease ends by itself
            log.warning("task %s: %r", task.id, error)
