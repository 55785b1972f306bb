"""What commands print: tables and lines for people, JSON for programs; and their exit codes."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Annotated, Any, TypeVar
from uuid import UUID

import typer
from nats.errors import Error as NatsError
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from common.alerts import NoSuchAlert
from common.broadcasts import BroadcastEnded, ManyBroadcasts, NoSuchBroadcast
from common.chats import NoSuchChat
from common.editing import NotThere
from common.jobs import JobRefused, NoSuchJob
from common.media.keeping import Attached, NotGenerated
from common.media.store import ImageMissing, StoreUnavailable
from common.messaging.replay import LetterChanged, LetterNotKept, NoSuchLetter, WrongPayload
from common.messaging.streams import TopologyError
from common.operations import NoSuchOperation, OperationEnded, WrongFilter
from common.postgres import SchemaError
from common.queues.settings import NoSuchQueue, WrongSetting
from common.settings import SettingsError
from common.spending.budgets import NoSuchBudget
from common.tokens import NoSuchToken, TokenExists
from common.users import LastAdministrator, LoginTaken, NoSuchUser, WrongTerms
from embedded import ServerError
from postroom.connections import NotFound
from postroom.stack.processes import ProcessFailed
from postroom.stack.running import AlreadyRunning

EXIT_FAILED, EXIT_USAGE, EXIT_NOT_MIGRATED, EXIT_UNREACHABLE = 1, 2, 3, 4

LONGEST_LINE = 10_000

Json = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]
Result = TypeVar("Result")


class Refused(Exception):
    """A command can't do what it was asked for; the message says why."""


EXIT_CODES: dict[type[Exception], int] = {
    Refused: EXIT_FAILED,
    NoSuchJob: EXIT_FAILED,
    JobRefused: EXIT_FAILED,
    NoSuchLetter: EXIT_FAILED,
    LetterNotKept: EXIT_FAILED,
    LetterChanged: EXIT_FAILED,
    WrongPayload: EXIT_FAILED,
    NoSuchOperation: EXIT_FAILED,
    OperationEnded: EXIT_FAILED,
    WrongFilter: EXIT_USAGE,
    NoSuchBroadcast: EXIT_FAILED,
    NoSuchAlert: EXIT_FAILED,
    NoSuchBudget: EXIT_FAILED,
    NotThere: EXIT_FAILED,
    BroadcastEnded: EXIT_FAILED,
    ManyBroadcasts: EXIT_FAILED,
    NoSuchChat: EXIT_FAILED,
    Attached: EXIT_FAILED,
    NotGenerated: EXIT_FAILED,
    ImageMissing: EXIT_FAILED,
    NoSuchToken: EXIT_FAILED,
    TokenExists: EXIT_FAILED,
    NoSuchUser: EXIT_FAILED,
    LoginTaken: EXIT_FAILED,
    LastAdministrator: EXIT_FAILED,
    WrongTerms: EXIT_USAGE,
    ProcessFailed: EXIT_USAGE,
    SettingsError: EXIT_USAGE,
    NoSuchQueue: EXIT_USAGE,
    WrongSetting: EXIT_USAGE,
    AlreadyRunning: EXIT_FAILED,
    SchemaError: EXIT_NOT_MIGRATED,
    TopologyError: EXIT_NOT_MIGRATED,
    ServerError: EXIT_UNREACHABLE,
    NotFound: EXIT_UNREACHABLE,
    StoreUnavailable: EXIT_UNREACHABLE,
    NatsError: EXIT_UNREACHABLE,
    OSError: EXIT_UNREACHABLE,
}


def run(work: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
    """Run a command's coroutine. An expected error becomes one line on stderr and an exit code."""
    with told():
        return asyncio.run(work())
    raise AssertionError("unreachable")


@contextmanager
def told() -> Iterator[None]:
    """Turn an expected error into one line on stderr and an exit code."""
    try:
        yield
    except KeyboardInterrupt:
        raise typer.Exit(130) from None
    except tuple(EXIT_CODES) as error:
        code = next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))
        Console(stderr=True, highlight=False).print(
            f"postroom: {str(error) or type(error).__name__}", markup=False, soft_wrap=True
        )
        raise typer.Exit(code) from None


def print_json(value: Any) -> None:
    """Print a value as JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=2, default=_plain))


def print_table(headings: Sequence[str], rows: Iterable[Sequence[Any]], *, gap: bool = False) -> None:
    """Print a table, after an empty line where there is a `gap`; nothing where it has no rows.

    On a terminal it gets as wide as that, and the last column wraps; elsewhere no line is ever broken.
    """
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in headings:
        table.add_column(heading, no_wrap=heading != headings[-1])
    for row in rows:
        table.add_row(*(_shown(value) for value in row))
    if table.row_count:
        console = Console(highlight=False)
        if not console.is_terminal:
            console.width = LONGEST_LINE
        if gap:
            console.print()
        console.print(table)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one: `1 source`, `2 sources`."""
    return f"{count} {noun if count == 1 else f'{noun}s'}"


def ago(moment: datetime | None) -> str:
    """Return how long ago something was, in words."""
    if moment is None:
        return "never"
    return f"{lasting(max(0, (datetime.now(UTC) - moment).total_seconds()))} ago"


def lasting(seconds: float | None) -> str:
    """Return how long something takes, in words; nothing where that is not known."""
    if seconds is None:
        return ""
    for size, unit in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"


def _shown(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, float):
        return f"{value:.2f}"
    return "" if value is None else escape(" ".join(str(value).split()))


def _plain(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Decimal):
        return float(value)
    return str(value)
