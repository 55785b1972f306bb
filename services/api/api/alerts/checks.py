"""Which checks there are."""

from api.alerts.beats import BeatCheck
from api.alerts.ledger import CanaryCheck, LedgerCheck, StrayCheck
from api.alerts.ports import Check
from api.alerts.queues import QueueCheck
from api.alerts.settings import AlertSettings
from api.alerts.storage import StorageCheck
from common.service import Service


def checks(service: Service, settings: AlertSettings) -> list[Check]:
    """Return all that is looked for."""
    every = settings.alert_check_seconds
    found: list[Check] = [
        QueueCheck(service.database, service.stream, every),
        BeatCheck(service.database, every),
        StorageCheck(service.stream, every, settings.alert_full_share),
        StrayCheck(service.database, every),
        CanaryCheck(service.database, every),
    ]
    if settings.alert_ledger_seconds:
        found.append(LedgerCheck(service.database, settings.alert_ledger_seconds))
    return found
