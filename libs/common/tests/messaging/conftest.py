"""Fixtures of the delivery tests: the trial system on real servers."""

from collections.abc import AsyncIterator

import nats
import pytest
from nats.aio.client import Client

from common.messaging.streams import migrate_topology
from common.service import ServiceSettings
from common.testing import trial
from embedded import NatsServer


@pytest.fixture
async def nats_client(nats_server: NatsServer) -> AsyncIterator[Client]:
    """A client of a server that has the streams and durables of the trial system."""
    client = await nats.connect(nats_server.url)
    await migrate_topology(client.jetstream(), trial.CONTRACTS)
    yield client
    await client.close()


@pytest.fixture
async def trial_settings(service_settings: ServiceSettings, database_url: str) -> ServiceSettings:
    """Settings of a service on a database that has the result tables."""
    await trial.create_tables(database_url)
    return service_settings
