"""The boilerplate of a service, in one call."""

from common.service.entry import main
from common.service.service import Service, create_service
from common.service.settings import ServiceSettings, queue_settings
from common.settings import SettingsError, SettingsGroup, load_settings, secrets_of

__all__ = [
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
