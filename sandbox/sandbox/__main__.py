"""`python -m sandbox`: runs the sandbox until SIGTERM or SIGINT.

Once it is ready it prints one line of JSON to standard output: where it is, without keys and sessions.
"""

import asyncio
import json
import logging
import signal
import sys

from pydantic import ValidationError
from pydantic_settings import CliApp

from sandbox.app import Sandbox
from sandbox.settings import SandboxSettings
from sandbox.telegram.seed import CorpusError


async def run(settings: SandboxSettings) -> None:
    """Run until a signal asks to stop."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        if sys.platform == "win32":
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stopping.set))
        else:
            loop.add_signal_handler(number, stopping.set)
    async with Sandbox(settings) as sandbox:
        announced = sandbox.announcement()
        telegram = announced["telegram"]
        ready = {
            "event": "sandbox.ready",
            "url": sandbox.url,
            "telegram": f"{telegram['host']}:{telegram['port']}",
            "model": announced["model"]["base_url"],
            "state": str(settings.state) if settings.state else None,
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopping.wait()


def main() -> int:
    """Parse the command line and run; returns the exit status (2: a bad setting, 1: a port or a file is not there)."""
    try:
        settings = CliApp.run(SandboxSettings)
    except ValidationError as error:
        for each in error.errors():
            sys.stderr.write(f"sandbox: {'.'.join(map(str, each['loc']))}: {each['msg']}\n")
        return 2
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(levelname)s %(name)s: %(message)s")
    try:
        if sys.platform == "win32":
            asyncio.run(run(settings))
        else:
            import uvloop

            uvloop.run(run(settings))
    except (OSError, CorpusError) as error:
        sys.stderr.write(f"sandbox: cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
