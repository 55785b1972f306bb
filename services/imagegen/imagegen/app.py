"""The composition root."""

import asyncio

from common import service as services
from common.media.download import Downloads
from common.media.keeping import Keeper
from common.media.store import MediaStore
from common.model.access import shared_access
from common.model.client import create_client
from common.service import ServiceSettings, create_service, load_settings
from imagegen.adapters.openai import OpenAIPainter
from imagegen.consumers import register
from imagegen.illustrate import IllustratePost
from imagegen.metering import ImageMetrics
from imagegen.settings import ImageModelSettings, SweepSettings
from imagegen.store import Store
from imagegen.sweep import Sweeper


async def run(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    openai, sweeping = load_settings(ImageModelSettings), load_settings(SweepSettings)
    async with (
        create_service("imagegen", load_settings(ServiceSettings)) as service,
        create_client(openai, timeout=openai.openai_image_timeout_seconds) as client,
        Downloads.open(allow_private=openai.openai_image_allow_private) as downloads,
        shared_access(service, openai, "low", service.behind) as access,
    ):
        store, media = Store(service.database), MediaStore(service.database, service.stream)
        metrics = ImageMetrics(service.registry)
        painter = OpenAIPainter(client, openai, downloads, access, tracer=service.tracer)
        register(service, IllustratePost(store, painter, media), store, media, metrics)
        sweeper = Sweeper(
            Keeper(service.database, media),
            service.leases,
            metrics,
            pause=sweeping.images_gc_seconds,
            grace=sweeping.images_grace_seconds,
        )
        service.background(sweeper.run)
        await service.run(stop)


def main() -> None:
    """Entry point of the service."""
    services.main("imagegen", "Has images made for posts, and keeps them.", run, ImageModelSettings)
