"""`postroom jobs`: the ledger of all work."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer
from pydantic import ValidationError

from common.audit import record
from common.jobs import STATUSES, JobDetails, JobFilter, Jobs, JobSummary
from common.messaging.within import EmittedWithin
from common.postgres import Within
from postroom.commands.bulk import operate
from postroom.commands.ids import post_id as post_id_of
from postroom.commands.moments import moment
from postroom.connections import connected
from postroom.output import Json, print_json, print_table, run
from postroom.person import person

app = typer.Typer(no_args_is_help=True, help="The work on every event: list, show, retry, cancel.")

ERROR_SHOWN = 200  # characters

Job = Annotated[str, typer.Argument(metavar="CONSUMER/EVENT_ID", help="A job as the list names it.")]
MaybeJob = Annotated[str | None, typer.Argument(metavar="[CONSUMER/EVENT_ID]", help="One job, as the list names it.")]
Queue = Annotated[str | None, typer.Option(help="Those of this queue.")]
Consumer = Annotated[str | None, typer.Option(help="Those of this consumer.")]
Status = Annotated[str | None, typer.Option(help=f"Those that are {', '.join(STATUSES)}.")]
Post = Annotated[UUID | None, typer.Option(parser=post_id_of, metavar="POST_ID", help="Those of this post.")]
ErrorText = Annotated[str | None, typer.Option("--error", help="Those whose last error contains this text.")]
ErrorClass = Annotated[str | None, typer.Option(help="Those with this class of error, such as TimeoutError.")]
Since = Annotated[str | None, typer.Option(help="Those that came from then on, such as 2026-03-01T18:30.")]
Until = Annotated[str | None, typer.Option(help="Those that came before then.")]
Everything = Annotated[bool, typer.Option("--all", help="All that have the status.")]
Reason = Annotated[str, typer.Option(help="Why, for those who wonder.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say how many there are.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@app.command("list")
def list_jobs(
    queue: Queue = None,
    consumer: Consumer = None,
    status: Status = None,
    post: Post = None,
    error: ErrorText = None,
    error_class: ErrorClass = None,
    since: Since = None,
    until: Until = None,
    limit: Annotated[int, typer.Option(help="The newest so many.", min=1)] = 50,
    as_json: Json = False,
) -> None:
    """List jobs, the newest first."""
    wanted = _filter(queue, consumer, status, post, error, error_class, since, until)

    async def find() -> list[JobSummary]:
        async with connected() as system:
            with system.rails() as rails:
                return await Jobs(system.nats, system.database, rails).find(wanted, limit=limit)

    found = run(find)
    if as_json:
        print_json([asdict(job) for job in found])
        return
    if not found:
        typer.echo("No jobs.")
    print_table(
        ("Job", "Created", "Queue", "Status", "Runs", "Seconds", "Error"),
        (
            (job.key, job.created_at, job.queue, state(job), job.attempts, job.total_seconds,
             (job.last_error or "")[:ERROR_SHOWN])
            for job in found
        ),
    )  # fmt: skip


@app.command()
def show(job: Job, as_json: Json = False) -> None:
    """Show one job: its runs, times, last error, payload and trace."""
    consumer, event_id = _key(job)

    async def get() -> JobDetails:
        async with connected() as system:
            with system.rails() as rails:
                return await Jobs(system.nats, system.database, rails).get(consumer, event_id)

    found = run(get)
    if as_json:
        print_json(_json(found))
        return
    for name, value in asdict(found.job).items():
        if value is not None:
            typer.echo(f"{name.replace('_', ' '):<12} {value}")
    for name, value in (
        ("run took", found.job.run_seconds),
        ("all took", found.job.total_seconds),
    ):
        if value is not None:
            typer.echo(f"{name:<12} {value:.3f} s")
    if found.letter:
        typer.echo(f"{'dead letter':<12} {found.letter}: `postroom dead show {found.letter}`")
    print_table(
        ("Run", "Began (UTC)", "Ended (UTC)", "Outcome", "Error"),
        ((each.attempt, each.started_at, each.ended_at, each.outcome, each.error) for each in found.runs),
        gap=True,
    )
    for name, header in (found.headers or {}).items():
        typer.echo(f"  {name}: {header}")
    typer.echo(f"\n{_payload(found)}")


@app.command()
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
    wanted = _filter(queue, consumer, status, post, error, error_class, since, until)
    if _one(job, wanted, everything=everything):
        _act("retry", str(job), lambda jobs, key: jobs.retry(*key))
        _say("retried", as_json=as_json)
        return
    operate(
        "jobs.retry", wanted.to_json(), noun="job", done="retried", reason=reason,
        question=None if yes else "Retry {}?", dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


@app.command()
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
    wanted = _filter(queue, consumer, status, post, error, error_class, since, until)
    if _one(job, wanted, everything=everything):
        _act("cancel", str(job), lambda jobs, key: jobs.cancel(*key, by=person(), reason=reason))
        _say("cancelled", as_json=as_json)
        return
    operate(
        "jobs.cancel", wanted.to_json(), noun="job", done="cancelled", reason=reason,
        question=None if yes else "Cancel {}?", dry_run=dry_run, as_json=as_json,
    )  # fmt: skip


def state(job: JobSummary) -> str:
    """Return a job's status; of one that waits also until when."""
    return f"{job.status} until {job.due_at:%H:%M:%S}" if job.due_at else job.status


def _filter(
    queue: str | None,
    consumer: str | None,
    status: str | None,
    post: UUID | None,
    error: str | None,
    error_class: str | None,
    since: str | None,
    until: str | None,
) -> JobFilter:
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


def _key(job: str) -> tuple[str, str]:
    consumer, slash, event_id = job.partition("/")
    if not slash or not event_id:
        raise typer.BadParameter(f"{job} is no job such as publisher/7be1efa6-…", param_hint="CONSUMER/EVENT_ID")
    return consumer, event_id


def _one(job: str | None, wanted: JobFilter, *, everything: bool) -> bool:
    """Return whether it is about one job. Raises typer.BadParameter where that is not said."""
    if sum((job is not None, wanted != JobFilter(), everything)) != 1:
        hint = "name one job as the list does, or several by filters such as --queue, or --all"
        raise typer.BadParameter(hint, param_hint="CONSUMER/EVENT_ID")
    return job is not None


def _act(verb: str, job: str, work: Callable[[Jobs, tuple[str, str]], Awaitable[None]]) -> None:
    """Do something to one job, in one transaction with its line in the audit log."""
    key = _key(job)

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


def _json(found: JobDetails) -> dict[str, Any]:
    return {
        **asdict(found.job),
        "run_seconds": found.job.run_seconds,
        "total_seconds": found.job.total_seconds,
        "runs": [asdict(each) for each in found.runs],
        "payload": found.shown,
        "headers": found.headers or {},
        "sequence": found.sequence,
        "letter": found.letter,
    }


def _payload(found: JobDetails) -> str:
    if found.payload is None:
        return "Its message is not kept any more."
    shown = found.shown
    return shown if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, indent=2)


def _say(done: str, *, as_json: bool) -> None:
    if as_json:
        print_json({done: 1})
    else:
        typer.echo(f"1 job {done}.")
