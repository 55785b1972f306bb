"""Which channels there are, from the settings."""

from api.notifying.email import EmailChannel
from api.notifying.hooks import WebhookChannel
from api.notifying.ports import Channel
from api.notifying.settings import EmailSettings
from common.postgres import Database


def channels(database: Database, email: EmailSettings) -> list[Channel]:
    """Return the channels by which people are told. Raises SettingsError where the settings of one are not complete."""
    found: list[Channel] = [WebhookChannel(database)]
    if email.wanted:
        found.append(EmailChannel(email))
    return found
