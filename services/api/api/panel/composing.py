"""The panel as a whole: its screens, and what they work with."""

import logging
from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter, FastAPI

from api.http.calls import System
from api.panel.application import make_panel
from api.panel.assets import missing
from api.panel.live import RAIL, Live, now_id
from api.panel.operating import queues_region
from api.panel.operations import Operations
from api.panel.overview import overview_region, rail_region
from api.panel.pages import Pages
from api.panel.routes import Panel
from api.panel.screens import screens
from api.panel.sessions import me
from api.panel.sessions.identifying import identifier
from api.panel.thumbnails import Thumbnails
from api.settings import PanelSettings
from common.users import Sessions

log = logging.getLogger(__name__)


def compose(system: System, sessions: Sessions, routers: Iterable[APIRouter], settings: PanelSettings) -> FastAPI:
    """Return the panel's application; `app.state.panel.live` is to be run beside it."""
    if lacking := missing():
        log.warning("the panel lacks %s: `python -m api.panel.assets` fetches them", ", ".join(lacking))
    shared: dict[str, Any] = {"sandbox": settings.panel_sandbox, "rendered_at": now_id}
    pages = Pages(shared)
    regions = {
        RAIL: rail_region(system.database),
        "overview": overview_region(system.database, system.nats.jetstream()),
        "queues": queues_region(system.database, system.nats.jetstream()),
    }
    live = Live(system.hub, pages, regions)
    shared["counts"] = live.counts
    panel = Panel(system, Operations([*routers, me.router]), pages, live, identifier(sessions))
    app = make_panel(panel, screens())
    app.state.thumbnails = Thumbnails()
    return app
