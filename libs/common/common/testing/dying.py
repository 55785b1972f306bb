"""A process that dies, by its own SIGKILL, at a chosen step of delivery.

`POSTROOM_DYING` is a directory, and for each service after how many messages it dies: `/dir:rewriter=50,publisher=50`.
Each life of a service dies at the next of the five steps; when it has died at each of them, it lives on.
`sitecustomize.py` in tests/dying installs this in every Python process of a stack.
"""

import os
import signal
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

STEPS = ("before_work", "after_work", "after_commit", "after_publish", "before_ack")


def install() -> None:
    """Make this process die where POSTROOM_DYING says so."""
    directory, _, services = os.environ["POSTROOM_DYING"].partition(":")
    limits = dict(pair.split("=") for pair in services.split(","))
    name = _service()
    if name not in limits:
        return
    lives = Path(directory) / name
    life = lives.stat().st_size if lives.exists() else 0
    if life >= len(STEPS):
        return
    _arm(STEPS[life], int(limits[name]), lives)


def _service() -> str:
    """The service that this process was started for: `python -m NAME`."""
    arguments = sys.orig_argv
    return arguments[arguments.index("-m") + 1] if "-m" in arguments else ""


def _arm(step: str, messages: int, deaths: Path) -> None:
    from common.messaging.delivery import Delivery

    count = 0

    def die(at: str) -> None:
        nonlocal count
        if at == step:
            count += 1
            if count >= messages:
                with deaths.open("ab") as record:  # one byte per death
                    record.write(b"x")
                if sys.platform != "win32":
                    os.kill(os.getpid(), signal.SIGKILL)

    def around(method: str, before: str | None, after: str | None) -> None:
        original: Callable[..., Awaitable[Any]] = getattr(Delivery, method)

        async def wrapped(self: Delivery, *arguments: Any) -> Any:
            if before:
                die(before)
            result = await original(self, *arguments)
            if after:
                die(after)
            return result

        setattr(Delivery, method, wrapped)

    around("_run", "before_work", "after_work")
    around("_commit", None, "after_commit")
    around("_publish", None, "after_publish")
    around("_acknowledge", "before_ack", None)
