"""A real SMTP server, in this process, and the messages that it took."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from common.testing.waiting import eventually

USER, PASSWORD = "postroom", "the password"


@dataclass
class Mailbox:
    """What somebody's mail server took. `answers` are what it says to the next messages; then it takes everything."""

    port: int = 0
    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)  # addresses that it does not know
    took: list[tuple[Envelope, EmailMessage]] = field(default_factory=list)
    users: list[str] = field(default_factory=list)

    async def handle_RCPT(  # noqa: N802
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address in self.refused:
            return "550 5.1.1 there is no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.answers:
            return self.answers.pop(0)
        message = message_from_bytes(bytes(envelope.content or b""), policy=policy.default)
        self.took.append((envelope, message))
        return "250 OK"

    def authenticate(self, _server: SMTP, _session: Session, _envelope: Envelope, _how: str, given: Any) -> AuthResult:
        right = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        if right:
            self.users.append(USER)
        return AuthResult(success=right, handled=not right, message=None if right else "535 5.7.8 wrong password")

    async def messages(self, number: int) -> list[EmailMessage]:
        """Wait for so many messages, and return all that came."""

        async def enough() -> bool:
            return len(self.took) >= number

        await eventually(enough)
        return [message for _, message in self.took]


@asynccontextmanager
async def receiving(*, tls: ssl.SSLContext | None = None, auth: bool = False) -> AsyncIterator[Mailbox]:
    """Receive mail on a port of this machine; with `tls` only after STARTTLS."""
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()

    def connection() -> SMTP:
        return SMTP(
            mailbox,
            loop=loop,
            hostname="localhost",
            tls_context=tls,
            require_starttls=tls is not None,
            authenticator=mailbox.authenticate if auth else None,
            auth_required=auth,
            auth_require_tls=tls is not None,
        )

    server = await loop.create_server(connection, "127.0.0.1", 0)
    mailbox.port = server.sockets[0].getsockname()[1]
    try:
        yield mailbox
    finally:
        server.close()


def text(message: EmailMessage) -> str:
    """What a person reads."""
    return str(message.get_content()).replace("\r\n", "\n")


def settings(port: int, **given: str) -> dict[str, str]:
    """The settings with which the api writes to such a server, and soon."""
    return {
        "SMTP_HOST": "localhost",
        "SMTP_PORT": str(port),
        "SMTP_SECURITY": "none",
        "NOTIFY_EMAIL_FROM": "postroom@example.org",
        "NOTIFY_EMAIL_TO": "a@example.org, b@example.org",
        "NOTIFY_GATHER_SECONDS": "0.2",
        **given,
    }
