"""`postroom jobs`: the ledger of all work."""

import json
from dataclasses import asdict
from typing import Annotated, Any

import typer

from common.jobs import JobDetails, Jobs, JobSummary
from postroom.commands.job_decisions import cancel, retry
from postroom.commands.job_filters import (
    Consumer,
    ErrorClass,
    ErrorText,
    Job,
    Post,
    Queue,
    Since,
    Status,
    Until,
    chosen,
    key_of,
)
from postroom.connections import connected
from postroom.output import Json, print_json, print_table, run

app = typer.Typer(no_args_is_help=True, help="The work on every event: list, show, retry, cancel.")

ERROR_SHOWN = 200  # characters


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
    wanted = chosen(queue, consumer, status, post, error, error_class, since, until)

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
    consumer, event_id = key_of(job)

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


app.command()(retry)
app.command()(cancel)


def state(job: JobSummary) -> str:
    """Return a job's status; of one that waits also until when."""
    return f"{job.status} until {job.due_at:%H:%M:%S}" if job.due_at else job.status


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
