"""The sandbox as a whole, without demo."""

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.app import Sandbox
from sandbox.settings import SandboxSettings


@pytest.fixture
async def sandbox(rsa_key_pem: str) -> AsyncIterator[Sandbox]:
    """A sandbox in memory, with only the destination channel."""
    async with Sandbox(SandboxSettings(demo=False, limits="off"), rsa_key_pem) as running:
        yield running


@pytest.fixture
async def http(sandbox: Sandbox) -> AsyncIterator[httpx.AsyncClient]:
    """A client of its API and pages."""
    async with httpx.AsyncClient(base_url=sandbox.url) as client:
        yield client
