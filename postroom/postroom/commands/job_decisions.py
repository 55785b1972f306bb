"""`postroom jobs retry` and `cancel`: one, or all that match."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any

import typer

from common.audit import record
from common.jobs import JobFilter, Jobs, JobSummary
from common.messaging.within import EmittedWithin
from common.postgres import Within
from postroom.commands.bulk import operate
from postroom.commands.job_filters import (
    Consumer,
    ErrorClass,
    ErrorText,
    Post,
    Queue,
    Since,
    Until,
    chosen,
    key_of,
)
from postroom.connections import connected
from postroom.output import Json, print_json, run
from postroom.person import person

MaybeJob = Annotated[str | None, typer.Argument(metavar="[CONSUMER/EVENT_ID]", help="One job, as the list names it.")]
Everything = Annotated[bool, typer.Option("--all", help="All that have the status.")]
Reason = Annotated[str, typer.Option(help="Why, for those who wonder.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def retry(
    job: MaybeJob = None,
    queue: Queue = None,
    consumer: Consumer = None,
    status: Annotated[
        str | None, typer.Option(help="Those that are failed (if left out), cancelled or queued.")
    ] = None,
    post: Post = None,
    error: ErrorText = None,
    error_class: ErrorClass = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Let jobs run again that failed or were cancelled, or now where they wait for their time."""
    wanted = chosen(queue, consumer, status, post, error, error_class, since, until)
    if _one(job, wanted, everything=everything):
        _act("retry", str(job), lambda jobs, key: jobs.retry(*key))
        _say("retried", as_json=as_json)
        return
    operate(
        "jobs.retry", wanted.to_json(), noun="job", done="retried", reason=reason,
        question=None if yes else "Retry {}?", dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def cancel(
    job: MaybeJob = None,
    queue: Queue = None,
    consumer: Consumer = None,
    status: Annotated[
        str | None, typer.Option(help="Those that are queued (if left out), in_progress or failed.")
    ] = None,
    post: Post = None,
    error: ErrorText = None,
    error_class: ErrorClass = None,
    since: Since = None,
    until: Until = None,
    everything: Everything = False,
    reason: Reason = "",
    dry_run: DryRun = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """End jobs without a result. What a run under way has done outside is not taken back."""
    wanted = chosen(queue, consumer, status, post, error, error_class, since, until)
    if _one(job, wanted, everything=everything):
        _act("cancel", str(job), lambda jobs, key: jobs.cancel(*key, by=person(), reason=reason))
        _say("cancelled", as_json=as_json)
        return
    operate(
        "jobs.cancel", wanted.to_json(), noun="job", done="cancelled", reason=reason,
        question=None if yes else "Cancel {}?", dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def _one(job: str | None, wanted: JobFilter, *, everything: bool) -> bool:
    """Return whether it is about one job. Raises typer.BadParameter where that is not said."""
    if sum((job is not None, wanted != JobFilter(), everything)) != 1:
        hint = "name one job as the list does, or several by filters such as --queue, or --all"
        raise typer.BadParameter(hint, param_hint="CONSUMER/EVENT_ID")
    return job is not None


def _act(verb: str, job: str, work: Callable[[Jobs, tuple[str, str]], Awaitable[None]]) -> None:
    """Do something to one job, in one transaction with its line in the audit log."""
    key = key_of(job)

    async def act() -> None:
        async with connected() as system:
            with system.rails() as rails:
                async with system.database.transaction() as connection:
                    within, emitting = Within(connection), EmittedWithin(rails, connection)
                    jobs = Jobs(system.nats, within, emitting)
                    before = await jobs.get(*key)
                    await work(jobs, key)
                    after = await jobs.get(*key)
                    await record(
                        within, person(), f"{verb}_job", f"/api/v1/jobs/{job}",
                        before=_recorded(before.job), after=_recorded(after.job),
                    )  # fmt: skip
                await emitting.publish_all()
                await jobs.follow()

    run(act)


def _recorded(job: JobSummary) -> dict[str, Any]:
    recorded: dict[str, Any] = json.loads(json.dumps(asdict(job), default=str))
    return recorded


def _say(done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({done: 1})
    else:
        typer.echo(f"1 job {done}.")
