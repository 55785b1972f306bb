"""`postroom up`: everything on this machine."""

import asyncio
import contextlib
import importlib.util
import json
import logging
import signal
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import nats
import typer
from rich.logging import RichHandler

from common.postgres import Database
from common.reconciliation import Reconciliation, reconcile
from common.users import Setup
from postroom.connections import NotFound
from postroom.funnel import Funnel
from postroom.output import print_json, run
from postroom.stack.idle import IdleCheck
from postroom.stack.running import HOME
from postroom.stack.stack import SERVICES, Stack, StackOptions, running_stack


class Pacing(StrEnum):
    """How fast is published."""

    REAL = "real"
    DEMO = "demo"
    OFF = "off"


def up(
    corpus: Annotated[
        Path | None,
        typer.Option(
            help="Every *.jsonl of this directory becomes a source channel of the sandbox.",
            exists=True,
            file_okay=False,
        ),
    ] = None,
    until_idle: Annotated[bool, typer.Option("--until-idle", help="Stop when nothing is pending any more.")] = False,
    report: Annotated[Path | None, typer.Option(help="Write the reconciliation to this JSON file at the end.")] = None,
    services: Annotated[str, typer.Option(help="The services to run, separated by commas.")] = ",".join(SERVICES),
    sandbox: Annotated[
        bool, typer.Option(help="Play Telegram and the model on this machine; --no-sandbox: the real world, from .env.")
    ] = True,
    pacing: Annotated[
        Pacing | None,
        typer.Option(help="How fast is published. Default: demo; off with --corpus; real with --no-sandbox."),
    ] = None,
    data: Annotated[
        Path | None, typer.Option(help="Where everything is kept. Default: .postroom/demo, /corpus or /real.")
    ] = None,
    single_process: Annotated[bool, typer.Option("--single-process", help="All services in one process.")] = False,
) -> None:
    """Run everything on this machine: servers, sandbox and services, with a live view. Ctrl-C stops it cleanly.

    A second run goes on where the first one was. With --report or --until-idle the exit code is 0 only where every post
    is accounted for and nothing is in the dead letters.
    """
    if report:
        _make_room(report)
    kind = "corpus" if corpus else "demo" if sandbox else "real"
    options = StackOptions(
        data=data or HOME / kind,
        services=_services(services),
        sandbox=sandbox,
        corpus=corpus.resolve() if corpus else None,
        pacing=pacing or {"corpus": Pacing.OFF, "demo": Pacing.DEMO, "real": Pacing.REAL}[kind],
        single_process=single_process,
    )
    logging.basicConfig(level="WARNING", format="%(message)s", handlers=[RichHandler(show_path=False)])
    result = run(lambda: _up(options, until_idle=until_idle, want_report=until_idle or report is not None))
    if result is None:
        return
    if report:
        report.write_text(json.dumps(result.to_json(), ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    print_json(result.to_json())
    if not result.total.balanced or result.dead_letters or result.total.states.get("dead"):
        raise typer.Exit(1)


def _make_room(report: Path) -> None:
    """See now, and not at the end of a long run, that the report can be written."""
    try:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.open("a").close()
    except OSError as error:
        raise typer.BadParameter(f"{report} can't be written: {error.strerror}", param_hint="--report") from None


def _services(named: str) -> list[str]:
    wanted = [name.strip() for name in named.split(",") if name.strip()]
    if not wanted:
        raise typer.BadParameter(f"it names none; there are {', '.join(SERVICES)}", param_hint="--services")
    for name in wanted:
        if name not in SERVICES:
            raise typer.BadParameter(
                f"{name} is not a service; there are {', '.join(SERVICES)}", param_hint="--services"
            )
        if importlib.util.find_spec(name) is None:
            raise typer.BadParameter(f"{name} is not installed here: `make install`", param_hint="--services")
    return [name for name in SERVICES if name in wanted]


async def _up(options: StackOptions, *, until_idle: bool, want_report: bool) -> Reconciliation | None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):
            loop.add_signal_handler(number, stopped.set)
    async with running_stack(options) as stack, Database.connect(stack.servers.database_url, size=2) as database:
        idle = IdleCheck(database, await _stream(stack))
        view = Funnel(database, _title(stack), await _panel(stack, database) | stack.pages)

        async def done() -> bool:
            return stopped.is_set() or (until_idle and await idle())

        showing = asyncio.create_task(view.show(done))
        failing = asyncio.create_task(stack.wait())
        await asyncio.wait([showing, failing], return_when=asyncio.FIRST_COMPLETED)
        for task in (showing, failing):
            if not task.done():
                task.cancel()
        await asyncio.gather(showing, failing, return_exceptions=True)
        if failing.done() and not failing.cancelled() and (error := failing.exception()):
            raise error
        if not showing.cancelled() and (error := showing.exception()):
            raise error
        return await reconcile(database, idle=until_idle and not stopped.is_set()) if want_report else None


async def _panel(stack: Stack, database: Database) -> dict[str, str]:
    """Where the panel is; as long as nobody uses it, with the code that makes the administrator."""
    if not stack.api_url:
        return {}
    url = stack.api_url.removesuffix("/api/v1")
    code = await Setup(database).code("postroom up")
    return {"The panel: make the administrator": f"{url}/set-up?code={code}"} if code else {"The panel": url}


async def _stream(stack: Stack) -> nats.js.JetStreamContext:
    async def silent(_error: Exception) -> None:
        """The idle check sees for itself that the server is away."""

    try:
        client = await nats.connect(
            stack.servers.nats_url, max_reconnect_attempts=-1, reconnect_time_wait=0.5, error_cb=silent
        )
    except OSError as error:
        raise NotFound(f"NATS can't be reached: {error}") from None
    return client.jetstream()


def _title(stack: Stack) -> str:
    real = " and ".join(stack.real_parts)
    if not stack.options.sandbox:
        where = "the real world"
    else:
        where = f"SANDBOX, but {real} from .env: REAL" if real else "SANDBOX: nothing leaves this machine"
    pace = {"demo": ", at the demo's own pace", "off": ", as fast as it goes", "real": ""}[stack.pacing]
    return f"Postroom · {where}{pace}"
