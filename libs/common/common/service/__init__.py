"""The boilerplate of a service, in one call."""

from common.service.entry import main
from common.service.service import Service, create_service
from common.service.settings import (
    DatabaseUrl,
    ServiceSettings,
    SettingsError,
    SettingsGroup,
    load_settings,
    queue_settings,
    secrets_of,
)

__all__ = [
    "DatabaseUrl",
    "Service",
    "ServiceSettings",
    "SettingsError",
    "SettingsGroup",
    "create_service",
    "load_settings",
    "main",
    "queue_settings",
    "secrets_of",
]
