"""Jobs: the ledger of all work, by state; one with its runs, and what can be done about it."""

import json

from starlette.responses import Response

from api.panel.desk import Asking, Desk
from api.panel.operating import Look, around
from api.panel.routes import screen
from api.resources.jobs import (
    Cancellation,
    OpenJob,
    cancel_job,
    count_jobs,
    get_job,
    list_jobs,
    retry_job,
)
from common.contracts import topology
from common.jobs import COUNTED, JobFilter

router = screen()

NAMES = ("status", "queue", "consumer", "error_class", "error", "post_id", "created_from", "created_until", "cursor")
STATES = ("failed", "queued", "in_progress", "cancelled", "succeeded")
ACTS = {  # what can be done to all jobs of a state
    "failed": ("jobs.retry", "jobs.cancel"),
    "queued": ("jobs.retry", "jobs.cancel"),
    "in_progress": ("jobs.cancel",),
    "cancelled": ("jobs.retry",),
}


@router.get("/jobs")
async def show_jobs(desk: Asking) -> Response:
    """Show jobs of a state, filtered."""
    look = Look.of(desk, "/jobs", NAMES)
    wanted = desk.given(
        JobFilter,
        **{name: look[name] or None for name in NAMES[:6]},
        created_from=look.moment(desk, "created_from"),
        created_until=look.moment(desk, "created_until"),
    )
    page = await desk.read(list_jobs, wanted=wanted, cursor=look["cursor"])
    counts = await desk.read(count_jobs, wanted=wanted)
    answer = desk.page(
        "jobs.html",
        "jobs",
        look=look,
        page=page,
        by_state=counts.model_dump(),
        counted=COUNTED,
        states=STATES,
        acts=ACTS.get(look["status"], ()),
        queues=topology().queue_names(),
        consumers=sorted({durable.name for durable in topology().durables()}),
        path="/queues",
        here=look.here,
        **await around(desk),
    )
    return look.answered(answer)


@router.get("/jobs/{consumer}/{event_id:path}")
async def show_job(desk: Asking, consumer: str, event_id: str) -> Response:
    """Show one job with its runs, and what it was asked."""
    return _job(desk, await desk.read(get_job, consumer=consumer, event_id=event_id))


@router.post("/jobs/{consumer}/{event_id:path}/retry")
async def retry(desk: Asking, consumer: str, event_id: str) -> Response:
    """Let one run again."""
    found = await desk.act(retry_job, consumer=consumer, event_id=event_id)
    return _decided(desk, found, desk.gettext("It runs again"))


@router.post("/jobs/{consumer}/{event_id:path}/cancel")
async def cancel(desk: Asking, consumer: str, event_id: str) -> Response:
    """End one without a result; of one that failed the dead letter is discarded."""
    given = desk.given(Cancellation, reason=(await desk.form()).get("reason", ""))
    found = await desk.act(cancel_job, consumer=consumer, event_id=event_id, given=given)
    return _decided(desk, found, desk.gettext("It is cancelled"))


def _decided(desk: Desk, job: OpenJob, said: str) -> Response:
    if not desk.by_htmx:
        return desk.redirect(f"/jobs/{job.consumer}/{job.event_id}")
    desk.toast(said)
    return _job(desk, job)


def _job(desk: Desk, job: OpenJob) -> Response:
    shown = job.payload if isinstance(job.payload, str) else json.dumps(job.payload, ensure_ascii=False, indent=2)
    return desk.page("job.html", "job", job=job, payload=None if job.payload is None else shown, path="/queues")
