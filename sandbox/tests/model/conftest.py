"""The model endpoint and its real client."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx
import openai
import pytest

from sandbox.faults import Fault, Faults
from sandbox.model.images import ImageEndpoint
from sandbox.model.journal import Journal
from sandbox.model.rewriting import Rewriter, load_phrasebooks
from sandbox.model.routes import ModelEndpoint
from sandbox.settings import SandboxSettings


@dataclass
class Served:
    """A running endpoint: `openai` is the real client without retries, `http` a plain one with the key set."""

    url: str
    faults: Faults
    journal: Journal
    openai: openai.AsyncOpenAI
    http: httpx.AsyncClient

    def fault(self, kind: str, where: str = "model", **given: Any) -> None:
        """Inject a fault into the next request."""
        self.faults.add(Fault(where=where, kind=kind, **given))


@pytest.fixture(scope="session")
def rewriter() -> Rewriter:
    """The rewriter with its own phrases."""
    return Rewriter(load_phrasebooks())


@pytest.fixture
async def model(serve: Any, rewriter: Rewriter) -> AsyncIterator[Served]:
    """A model endpoint whose key is `sk-test` and whose context holds 2,000 tokens."""
    faults = Faults()
    endpoint = ModelEndpoint(rewriter, faults, "sk-test", 2000, ("sandbox-writer",))
    images = ImageEndpoint(faults, "sk-test", SandboxSettings().image_models, endpoint.journal)
    url = await serve([*endpoint.routes(), *images.routes()])
    real = openai.AsyncOpenAI(api_key="sk-test", base_url=f"{url}/v1", max_retries=0)
    async with real, httpx.AsyncClient(base_url=url, headers={"authorization": "Bearer sk-test"}) as http:
        yield Served(url, faults, endpoint.journal, real, http)
