"""The composition root."""

import asyncio

from api.consumers import register
from api.settings import NotificationSettings
from api.store import Notifications
from common import service as services
from common.service import ServiceSettings, create_service, load_settings


async def run(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    own = load_settings(NotificationSettings)
    async with create_service("api", load_settings(ServiceSettings)) as service:
        register(service, Notifications(own.notify_fold_seconds))
        await service.run(stop)


def main() -> None:
    """Entry point of the service."""
    services.main("api", "Keeps what people are told.", run)
