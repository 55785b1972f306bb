"""Whether the workers run that go by the clock."""

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from api.http.calls import Calling, System
from api.http.routes import resource
from api.http.values import Answer, Utc
from common.planning.workers import workers
from common.postgres import Database
from common.verification import canary_state

router = resource("health")


class Worker(Answer):
    """One worker of the scheduler."""

    worker: str
    running: bool
    last_beat: Utc | None
    next_run: Utc | None
    replicas: int


class Workers(Answer):
    """All workers. `running`: each of them runs in at least one replica."""

    running: bool
    workers: list[Worker]


@router.get("/workers")
async def get_workers(call: Calling) -> Workers:
    """Tell for each worker whether it runs, when it last gave a sign of life, and when it runs next."""
    return await _workers(call.database)


async def answer_workers(request: Request) -> Response:
    """Answer /health/workers, which needs no token: it says nothing of what people publish."""
    system: System = request.app.state.system
    found = await _workers(system.database)
    return JSONResponse(found.model_dump(mode="json"))


async def answer_pipeline(request: Request) -> Response:
    """Answer /health/pipeline, which needs no token: 503 where the canary is late or did not come through."""
    system: System = request.app.state.system
    canary = await canary_state(system.database)
    if canary is None:
        return JSONResponse({"status": "unknown", "detail": "no canary was sent: CANARY_TARGET is not set"})
    status = "ready" if canary.well else "not ready"
    seconds = {"seconds": canary.seconds, "waiting_seconds": canary.waiting_seconds}
    return JSONResponse({"status": status, **seconds}, status_code=200 if canary.well else 503)


async def _workers(database: Database) -> Workers:
    found = [Worker.model_validate(each, from_attributes=True) for each in await workers(database)]
    return Workers(running=all(each.running for each in found), workers=found)
