"""What the screens of an operator have in common: what is looked at, and what is told beside it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from nats.js import JetStreamContext
from starlette.responses import Response

from api.panel.desk import Desk
from api.panel.live import Region
from api.resources.alerts import Alert, list_alerts
from api.resources.operations import BulkOperation, list_operations
from api.resources.queues import look
from common.planning.wall_clock import wall_time
from common.postgres import Database

MOST = 50


@dataclass(frozen=True, slots=True)
class Look:
    """What of a list somebody looks at, as it stands in the address; empty parts are left out."""

    path: str
    given: Mapping[str, str]

    @classmethod
    def of(cls, desk: Desk, path: str, names: Sequence[str]) -> "Look":
        """Return what a request asks for."""
        asked = desk.request.query_params
        return cls(path, {name: asked[name].strip() for name in names if asked.get(name, "").strip()})

    def __getitem__(self, name: str) -> str:
        """Return a part; an empty text where nothing is asked for."""
        return self.given.get(name, "")

    def address(self, path: str = "", /, **changes: str | None) -> str:
        """Return the address with other parts; None takes one away. What was paged to is left."""
        kept = {name: value for name, value in {**self.given, "cursor": None, **changes}.items() if value}
        return f"{path or self.path}?{urlencode(kept)}" if kept else path or self.path

    def answered(self, answer: Response) -> Response:
        """Let the address of the page say what it shows, and no more: a form sends its empty fields too."""
        answer.headers["HX-Replace-Url"] = self.here
        return answer

    @property
    def here(self) -> str:
        """The address of what is looked at."""
        return self.address(cursor=self["cursor"])

    def moment(self, desk: Desk, name: str) -> datetime | None:
        """Return a time that stands in the address as the viewer's clock shows it."""
        return local_moment(desk, self[name])


def local_moment(desk: Desk, given: str) -> datetime | None:
    """Return the instant of a date and time on the viewer's clock; None where it is none."""
    try:
        wall = datetime.fromisoformat(given)
    except ValueError:
        return None
    return wall_time(wall.date(), wall.time().replace(tzinfo=None), desk.viewer.zone).at


async def around(desk: Desk) -> dict[str, Any]:
    """Return what all of these screens show: the alerts that fire, and the operations under way."""
    alerts = await desk.read(list_alerts, status="firing", limit=MOST)
    return {"alerts": alerts.items, "under_way": await under_way(desk)}


async def under_way(desk: Desk) -> list[BulkOperation]:
    """Return the operations that have not ended."""
    running = await desk.read(list_operations, status="running", limit=MOST)
    pending = await desk.read(list_operations, status="pending", limit=MOST)
    return [*running.items, *pending.items]


def queues_region(database: Database, stream: JetStreamContext) -> Region:
    """Return how the queues stand as a part of pages."""

    async def values() -> Mapping[str, Any]:
        return {"queues": await look(database, stream)}

    return Region("parts/queues_live.html", "live", values)


def queue_of(alert: Alert) -> str | None:
    """Return the queue that an alert is about."""
    kind, _, name = alert.fingerprint.partition("/")
    return name.partition("/")[0] if kind.startswith("queue_") else None
