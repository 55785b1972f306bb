"""Watches over the system. Of all replicas one watches: it holds the lease `alerts`."""

import asyncio
import logging
from collections import Counter
from collections.abc import Sequence

from nats.errors import Error as NatsError

from api.alerts.ports import Check
from api.alerts.records import AlertRecords
from common.leases import LeaseLost, Leases
from common.live import Live
from common.postgres import UNREACHABLE, bounded

log = logging.getLogger(__name__)

LEASE = "alerts"
QUIET_CHECKS = 2  # so often in a row nothing must be found until it is over
CHECK_SECONDS = 30.0  # one check may take so long
TICK_SECONDS = 0.2


class Watcher:
    """Looks, and makes alerts of what is found. `checks` say how often each of them looks."""

    def __init__(self, leases: Leases, records: AlertRecords, checks: Sequence[Check], live: Live) -> None:
        self._leases = leases
        self._records = records
        self._checks = checks
        self._live = live
        self._found: Counter[str] = Counter()  # how often in a row, before it fires
        self._quiet: Counter[str] = Counter()  # how often in a row not, while it fires

    async def run(self) -> None:
        """Watch for ever, as soon as nobody else does."""
        while True:
            try:
                async with self._leases.held(LEASE):
                    await self._watch()
            except LeaseLost:
                log.warning("somebody else watches now")
            except UNREACHABLE as error:
                log.warning("alerts: %r", error)
                await asyncio.sleep(TICK_SECONDS)

    async def look(self, check: Check) -> None:
        """Look once. What can't be known leaves all alerts as they are."""
        try:
            # A task of its own: before Python 3.12 a request to NATS may swallow that this loop is cancelled.
            found = {finding.fingerprint: finding for finding in await bounded(check.find(), CHECK_SECONDS)}
        except (*UNREACHABLE, NatsError) as error:
            log.warning("%s: %r", "/".join(check.kinds), error)
            return
        except Exception:  # the mistake of one check must not stop the others, nor the service that tells people
            log.exception("%s: this check does not work", "/".join(check.kinds))
            return
        firing = await self._records.firing(check.kinds)
        for name, finding in found.items():
            self._quiet.pop(name, None)
            if name in firing:
                await self._records.go_on(firing[name], finding)
                continue
            self._found[name] += 1
            if self._found[name] >= finding.patience and await self._records.fire(finding):
                log.warning("alert: %s", finding.title)
                await self._live.tell("alert.firing", fingerprint=name, kind=finding.kind, title=finding.title)
        for name in [each for each in self._found if each.partition("/")[0] in check.kinds and each not in found]:
            del self._found[name]
        for name, alert in firing.items():
            if name in found:
                continue
            self._quiet[name] += 1
            if self._quiet[name] >= QUIET_CHECKS and await self._records.resolve(alert):
                del self._quiet[name]
                log.info("alert is over: %s", alert.title)
                await self._live.tell("alert.resolved", fingerprint=name, kind=alert.kind, title=alert.title)

    async def _watch(self) -> None:
        loop = asyncio.get_running_loop()
        due = dict.fromkeys(range(len(self._checks)), 0.0)
        while True:
            for number, check in enumerate(self._checks):
                if loop.time() >= due[number]:
                    await self.look(check)
                    due[number] = loop.time() + check.every_seconds
            await asyncio.sleep(max(TICK_SECONDS, min(due.values()) - loop.time()))
