"""What can be set about every service, and about every queue."""

from pydantic import Field, SecretStr

from common.messaging.queue import QueueSettings
from common.queues.settings import layers
from common.settings import DatabaseUrl, SettingsGroup


class ServiceSettings(SettingsGroup):
    """What every service needs."""

    database_url: DatabaseUrl = Field(description="PostgreSQL, postgresql://user:password@host/database")
    nats_url: SecretStr = Field(default=SecretStr("nats://127.0.0.1:4222"), description="NATS with JetStream")
    health_host: str = Field(default="127.0.0.1", description="where /health/live, /health/ready and /metrics listen")
    health_port: int = Field(default=0, ge=0, le=65535, description="0: any free port")
    log_level: str = Field(default="INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$")
    otel_exporter_otlp_endpoint: str | None = Field(default=None, description="http://collector:4318; none: no export")
    database_pool_size: int = Field(default=4, ge=2, le=100, description="connections per pool; there are two")


def queue_settings(queue: str, defaults: QueueSettings | None = None) -> QueueSettings:
    """Read `<QUEUE>_CONCURRENCY`, `<QUEUE>_MAX_ATTEMPTS` and so on over the service's defaults."""
    return layers(queue, defaults).base
