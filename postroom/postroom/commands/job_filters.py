"""Which jobs a command is about: one by its name, or those that match options."""

from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from common.contracts import topology
from common.jobs import STATUSES, JobFilter
from common.queues.settings import known
from postroom.commands.ids import post_id as post_id_of
from postroom.commands.moments import moment
from postroom.output import told

Job = Annotated[str, typer.Argument(metavar="CONSUMER/EVENT_ID", help="A job as the list names it.")]
Queue = Annotated[str | None, typer.Option(help="Those of this queue.")]
Consumer = Annotated[str | None, typer.Option(help="Those of this consumer.")]
Status = Annotated[str | None, typer.Option(help=f"Those that are {', '.join(STATUSES)}.")]
Post = Annotated[UUID | None, typer.Option(parser=post_id_of, metavar="POST_ID", help="Those of this post.")]
ErrorText = Annotated[str | None, typer.Option("--error", help="Those whose last error contains this text.")]
ErrorClass = Annotated[str | None, typer.Option(help="Those with this class of error, such as TimeoutError.")]
Since = Annotated[str | None, typer.Option(help="Those that came from then on, such as 2026-03-01T18:30.")]
Until = Annotated[str | None, typer.Option(help="Those that came before then.")]


def chosen(
    queue: str | None,
    consumer: str | None,
    status: str | None,
    post: UUID | None,
    error: str | None,
    error_class: str | None,
    since: str | None,
    until: str | None,
) -> JobFilter:
    """Return what the options choose. Raises typer.BadParameter; ends the command where there is no such queue."""
    with told():
        known(topology(), [queue] if queue else [])
    given: dict[str, Any] = {
        "queue": queue,
        "consumer": consumer,
        "status": status,
        "post_id": post,
        "error": error,
        "error_class": error_class,
        "created_from": moment(since, "--since"),
        "created_until": moment(until, "--until"),
    }
    try:
        return JobFilter(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as problem:
        [first, *_] = problem.errors()
        raise typer.BadParameter(first["msg"], param_hint=f"--{str(first['loc'][0]).replace('_', '-')}") from None


def key_of(job: str) -> tuple[str, str]:
    """Return the consumer and the event id. Raises typer.BadParameter."""
    consumer, slash, event_id = job.partition("/")
    if not slash or not event_id:
        raise typer.BadParameter(f"{job} is no job such as publisher/7be1efa6-…", param_hint="CONSUMER/EVENT_ID")
    return consumer, event_id
