"""The composition root."""

import asyncio

from common import service as services
from common.model.access import shared_access
from common.model.client import create_client
from common.service import ServiceSettings, create_service, load_settings
from rewriter.adapters.openai import OpenAIModel
from rewriter.again import RewriteAgain
from rewriter.asking import Asking
from rewriter.consumers import register
from rewriter.rewrite import RewritePost
from rewriter.settings import OpenAISettings, RewriterSettings
from rewriter.store import Store
from rewriter.try_profile import TryProfile
from rewriter.write import WriteContent


async def run(stop: asyncio.Event) -> None:
    """Run until `stop` is set."""
    own, openai = load_settings(RewriterSettings), load_settings(OpenAISettings)
    async with (
        create_service("rewriter", load_settings(ServiceSettings)) as service,
        create_client(openai, timeout=openai.openai_timeout_seconds) as client,
        shared_access(service, openai, "high", service.behind) as access,
    ):
        model = OpenAIModel(client, openai, access, tracer=service.tracer)
        store = Store(service.database, recent_posts=own.rewrite_recent_posts, seconds=own.rewrite_cache_seconds)
        ask = Asking(model, openai.openai_model)
        rewrite = RewritePost(store, ask, recent_posts=own.rewrite_recent_posts)
        again = RewriteAgain(store, rewrite)
        register(service, rewrite, again, WriteContent(store, ask), TryProfile(store, ask), store)
        await service.run(stop)


def main() -> None:
    """Entry point of the service."""
    services.main(
        "rewriter", "Rewrites collected posts with a language model, and writes posts from briefs.", run, OpenAISettings
    )
