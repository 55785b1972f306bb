"""Delivery: one message, one transaction, acknowledged last.

A message passes five stations: claim (the inbox) → run → commit (job, results, outbox) → publish → ack. Claims, commits
and publishes of concurrent messages are grouped, so that a hundred of them cost one statement or one transaction, while
each handler runs and fails on its own.
"""

from common.messaging.job import Job
from common.messaging.queue import Queue

__all__ = ["Job", "Queue"]
