"""The e-mail channel: one message for all that is to be told, by SMTP."""

import logging
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, localtime
from uuid import NAMESPACE_URL, uuid5

import aiosmtplib

from api.notifying.message import subject_of, text_of
from api.notifying.ports import Notice, NotTold, Severity
from api.notifying.settings import EmailSettings
from common.postgres import bounded

log = logging.getLogger(__name__)

ATTEMPT_SECONDS = 30.0


class EmailChannel:
    """Tells people by e-mail."""

    name = "email"
    gathers = True

    def __init__(self, settings: EmailSettings) -> None:
        self._settings = settings
        self.least: Severity = settings.notify_min_severity

    async def tell(self, notices: Sequence[Notice]) -> None:
        """Send one message. Raises NotTold where the server takes it for nobody."""
        settings = self._settings
        try:
            refused, _ = await bounded(
                aiosmtplib.send(
                    composed(settings, notices),
                    sender=settings.notify_email_from,
                    recipients=list(settings.notify_email_to),
                    hostname=settings.smtp_host,
                    port=settings.smtp_port,
                    username=settings.smtp_user or None,
                    password=settings.smtp_password.get_secret_value() or None,
                    use_tls=settings.smtp_security == "tls",
                    start_tls=settings.smtp_security == "starttls",
                    timeout=ATTEMPT_SECONDS,
                ),
                ATTEMPT_SECONDS,
            )
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            said = " ".join(str(error).split()) or type(error).__name__
            raise NotTold(f"{settings.smtp_host}:{settings.smtp_port}: {said}"[:500]) from error
        for address, answer in refused.items():
            log.warning("e-mail to %s was refused: %s", address, answer)


def composed(settings: EmailSettings, notices: Sequence[Notice]) -> EmailMessage:
    """Return the message. The same notices have the same Message-ID, should it come twice."""
    domain = settings.notify_email_from.rpartition("@")[2]
    identity = uuid5(NAMESPACE_URL, " ".join(sorted(f"{each.id}/{each.tellings}" for each in notices)))
    message = EmailMessage(policy=SMTP)
    message["From"] = settings.notify_email_from
    message["To"] = ", ".join(settings.notify_email_to)
    message["Subject"] = subject_of(notices)
    message["Date"] = format_datetime(localtime())
    message["Message-ID"] = f"<{identity}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"  # https://www.rfc-editor.org/rfc/rfc3834: no machine shall answer
    message.set_content(text_of(notices), cte="base64")  # lines of any length in any script get through
    return message
