"""Settings of the e-mail channel."""

from email.headerregistry import Address
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_core import PydanticCustomError
from pydantic_settings import NoDecode

from api.notifying.ports import Severity
from common.settings import SettingsError, SettingsGroup

LOOPBACK = ("localhost", "127.0.0.1", "::1")


def _address(value: str) -> str:
    try:
        parsed = Address(addr_spec=value)
    except (ValueError, IndexError) as error:
        raise PydanticCustomError("address", "it is no e-mail address: {why}", {"why": str(error)}) from None
    if not parsed.domain or not value.isascii() or not value.isprintable():
        raise PydanticCustomError("address", "it is no e-mail address such as operators@example.org")
    return value


def _parts(value: object) -> object:
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


EmailAddress = Annotated[str, AfterValidator(lambda value: _address(value) if value else value)]
EmailAddresses = Annotated[tuple[EmailAddress, ...], NoDecode, BeforeValidator(_parts)]


class EmailSettings(SettingsGroup):
    """How people are told by e-mail."""

    smtp_host: str = Field(default="", description="the server that takes our e-mail; empty: none is sent")
    smtp_port: int = Field(default=587, ge=1, le=65535, description="587 with starttls, 465 with tls, 25 with none")
    smtp_user: str = Field(default="", description="empty: the server asks for none")
    smtp_password: SecretStr = Field(default=SecretStr(""), description="of that user")
    smtp_security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="starttls, tls or none; a password is never sent to another machine without"
    )
    notify_email_from: EmailAddress = Field(default="", description="who writes, such as postroom@example.org")
    notify_email_to: EmailAddresses = Field(default=(), description="who is told, separated by commas")
    notify_min_severity: Severity = Field(
        default="warning", description="the least that is told by e-mail: info, warning or error"
    )

    @property
    def wanted(self) -> bool:
        """Whether e-mail is sent. Raises SettingsError where something of it is missing."""
        given = {
            "SMTP_HOST": self.smtp_host,
            "NOTIFY_EMAIL_FROM": self.notify_email_from,
            "NOTIFY_EMAIL_TO": self.notify_email_to,
        }
        if not any(given.values()):
            return False
        for name, value in given.items():
            if not value:
                have = next(each for each, there in given.items() if there)
                raise SettingsError(f"{name} is not set, and {have} is: e-mail needs {', '.join(given)}")
        if self.smtp_user and self.smtp_security == "none" and self.smtp_host not in LOOPBACK:
            raise SettingsError("SMTP_SECURITY: with none, SMTP_PASSWORD would be sent unencrypted to another machine")
        return True
