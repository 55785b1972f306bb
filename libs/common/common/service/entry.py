"""The entry point of a service: arguments, signals, exit codes."""

import argparse
import asyncio
import gc
import io
import logging
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from common.messaging.streams import TopologyError
from common.postgres import DatabaseUnreachable, SchemaError
from common.service.service import NatsUnreachable
from common.service.settings import ServiceSettings
from common.settings import SettingsError, SettingsGroup, load_settings, secrets_of
from common.telemetry.logs import configure_logs

EXIT_SETTINGS = 2
EXIT_NOT_MIGRATED = 3
EXIT_UNREACHABLE = 4

# Windows has no SIGTERM from outside: there Ctrl-Break is what a supervisor can send to a process group.
STOPPING = [signal.SIGTERM, signal.SIGINT]
if sys.platform == "win32":
    STOPPING.append(signal.SIGBREAK)

Run = Callable[[asyncio.Event], Coroutine[Any, Any, None]]


def main(service: str, description: str, run: Run, *groups: type[SettingsGroup]) -> None:
    """Run a service until SIGTERM, SIGINT or Ctrl-Break. `groups` are its own settings, whose secrets the logs redact.

    Exits with 2 where a setting is wrong, with 3 where the database or the streams are not migrated, with 4 where a
    server can't be reached at the start; each with one line on stderr that says what to do.
    """
    speak_utf8()
    parser = argparse.ArgumentParser(
        prog=f"python -m {service}", description=description, epilog=f"Settings: services/{service}/README.md"
    )
    parser.parse_args()
    sys.exit(_run(service, run, groups))


def _run(service: str, run: Run, groups: Sequence[type[SettingsGroup]]) -> int:
    try:
        settings = load_settings(ServiceSettings)
        secrets = secrets_of(settings, *(load_settings(group) for group in groups))
        configure_logs(service, level=settings.log_level, secrets=secrets)
        gc.collect()
        gc.freeze()  # what was imported stays: the collector need not look at it again with every message
        runner = asyncio.Runner(loop_factory=_loop_factory())
        with runner:
            runner.run(until_signalled(run))
    except SettingsError as error:
        return _fail(service, str(error), EXIT_SETTINGS)
    except (SchemaError, TopologyError) as error:
        return _fail(service, str(error), EXIT_NOT_MIGRATED)
    except (DatabaseUnreachable, NatsUnreachable) as error:
        return _fail(service, str(error), EXIT_UNREACHABLE)
    except (OSError, TimeoutError) as error:
        return _fail(service, f"a server can't be reached: {str(error) or type(error).__name__}", EXIT_UNREACHABLE)
    return 0


async def until_signalled(run: Run) -> None:
    """Run with an event that those signals set; a second signal ends it without draining."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    task = asyncio.ensure_future(run(stop))

    def asked() -> None:
        if stop.is_set():
            task.cancel()
        stop.set()

    for number in STOPPING:
        try:
            loop.add_signal_handler(number, asked)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(asked))
    await task


def speak_utf8() -> None:
    """Write UTF-8 to stdout and stderr: on Windows a pipe or file gets a code page otherwise, without most letters."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    factory = None
    if sys.platform != "win32":
        import uvloop

        factory = uvloop.new_event_loop
    return factory


def _fail(service: str, message: str, code: int) -> int:
    logging.getLogger(service).debug("exit %d", code)
    print(f"{service}: {' '.join(message.split())}", file=sys.stderr)
    return code
