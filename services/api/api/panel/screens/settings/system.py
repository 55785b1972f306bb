"""The system: what it is connected to, what runs, and a report for whoever helps."""

import platform
from datetime import UTC, datetime
from importlib.metadata import version

from starlette.responses import Response

from api.panel.desk import Asking
from api.panel.routes import screen
from api.resources.connections import ConnectionReport, get_connections
from api.resources.settings import Settings, list_settings

router = screen()


@router.get("/settings/system")
async def show_system(desk: Asking) -> Response:
    """Show how the system is."""
    report = await desk.read(get_connections)
    settings = await desk.read(list_settings)
    versions = {"Postroom": version("postroom-api"), "Python": platform.python_version()}
    versions |= {"PostgreSQL": report.versions["postgresql"], "NATS": report.versions["nats"]}
    return desk.page(
        "settings_system.html",
        block="system",
        report=report,
        versions=versions,
        settings=[each for each in settings.items if not each.is_default],
        text=written(report, settings, versions),
    )


def written(report: ConnectionReport, settings: Settings, versions: dict[str, str]) -> str:
    """Return the report as text, in English and without secrets: it is sent to others."""
    lines = [f"Postroom, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC", ""]
    lines += [f"{name} {number}" for name, number in versions.items()]
    lines += [f"{platform.system()} {platform.release()} {platform.machine()}", "", "Connections"]
    lines += [f"  {each.name}: {each.state}{f' ({each.said})' if each.said else ''}" for each in report.connections]
    lines += ["", "Replicas"]
    lines += [
        f"  {each.service} {each.version}: {each.state}, since {each.started_at:%Y-%m-%d %H:%M}"
        f"{f' ({each.detail})' if each.detail else ''}"
        for each in report.replicas
    ]
    lines += ["", "Settings of the api that are not the default"]
    lines += [f"  {each.name}={each.value}" for each in settings.items if not each.is_default]
    return "\n".join(lines)
