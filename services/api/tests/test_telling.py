"""People are told: by e-mail to a real SMTP server and by webhook, a storm as one message with a count."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from nats.aio.client import Client

from api.app import run
from api.notifying.email import EmailChannel
from common.events import NotifyRequested, emitted
from common.postgres import Database
from common.service import ServiceSettings
from common.settings import SettingsError
from common.testing.waiting import eventually

from .conftest import replicas, serving
from .mailbox import PASSWORD, USER, Mailbox, receiving, settings, text


@pytest.fixture
async def mailbox() -> AsyncIterator[Mailbox]:
    async with receiving() as mailbox:
        yield mailbox


def notice(title: str = "it broke", **given: Any) -> NotifyRequested:
    return NotifyRequested(**{"kind": "tests.broke", "title": title, "fingerprint": title, "severity": "error"} | given)


async def notify(client: Client, *events: NotifyRequested, name: str = "n") -> None:
    emits = [
        emitted(event, event_id=f"{name}{number}", consumer="test", cause_id="test")
        for number, event in enumerate(events)
    ]
    send = client.jetstream().publish
    await asyncio.gather(*(send(emit.subject, emit.payload, 30, headers=dict(emit.headers)) for emit in emits))


async def deliveries(database: Database, status: str, number: int = 1) -> list[dict[str, Any]]:
    """Wait for so many deliveries by e-mail with a status."""

    async def there() -> list[dict[str, Any]]:
        rows = await database.fetch(
            "SELECT * FROM notification_deliveries WHERE channel = 'email' AND status = $1", status
        )
        return [dict(row) for row in rows] if len(rows) >= number else []

    return await eventually(there)


SECRET = "https://user:hunter2@there "


async def test_a_notification_is_told_by_email(
    service_settings: ServiceSettings, nats_client: Client, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    await notify(nats_client, notice("Перо\nсломалось", detail="строка\n" + SECRET + "x" * 3000))
    async with serving(monkeypatch, **settings(mailbox.port)):
        [message] = await mailbox.messages(1)
    [(envelope, _)] = mailbox.took
    assert (envelope.mail_from, envelope.rcpt_tos) == ("postroom@example.org", ["a@example.org", "b@example.org"])
    assert message["subject"] == "[Postroom] error: Перо сломалось"
    assert message["auto-submitted"] == "auto-generated"
    assert message["message-id"].endswith("@example.org>")
    assert "ERROR: Перо сломалось\n" in text(message)
    assert "строка\nhttps://user:[redacted]@there xxx" in text(message)


@pytest.mark.parametrize("storm", [500, pytest.param(5000, marks=pytest.mark.soak)])
async def test_a_storm_is_one_message_with_a_count(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
    storm: int,
) -> None:
    """While it goes on nothing is told, and two replicas tell of it once."""
    for part in range(0, storm, 100):
        await notify(nats_client, *(notice(detail=f"number {n}") for n in range(part, part + 100)), name=f"{part}/")
    for name, value in settings(mailbox.port, NOTIFY_GATHER_SECONDS="4").items():
        monkeypatch.setenv(name, value)
    async with replicas(2):
        [row] = await deliveries(database, "told")
        [message] = await mailbox.messages(1)
    assert (row["count_told"], row["tellings"]) == (storm, 1)
    assert message["subject"] == f"[Postroom] error: it broke ({storm:,} times)"
    assert f"{storm:,} times, from " in text(message)
    assert len(mailbox.took) == 1


async def test_what_is_to_be_told_at_that_time_is_one_message(
    service_settings: ServiceSettings, nats_client: Client, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [notice(f"trouble {n}", severity="warning") for n in range(40)]
    await notify(nats_client, *several, notice("the worst"), notice("only to know", severity="info"))
    async with serving(monkeypatch, **settings(mailbox.port, NOTIFY_GATHER_SECONDS="1")):
        [message] = await mailbox.messages(1)
    assert message["subject"] == "[Postroom] 1 error, 40 warning: the worst, and 40 more"
    assert text(message).startswith("ERROR: the worst\n")
    assert "… and 11 more" in text(message)
    assert "only to know" not in text(message)


async def test_what_comes_later_is_told_as_an_update(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with serving(monkeypatch, **settings(mailbox.port)):
        await notify(nats_client, notice())
        await deliveries(database, "told")
        await notify(nats_client, notice(), notice(), name="more")
        [row] = await deliveries(database, "pending")
        assert (row["count_told"], len(mailbox.took)) == (1, 1)
        assert timedelta(seconds=590) < row["due_at"] - row["told_at"] <= timedelta(seconds=600)
        await database.execute("UPDATE notification_deliveries SET due_at = now() WHERE channel = 'email'")
        _, update = await mailbox.messages(2)
        [row] = await deliveries(database, "told")
    assert update["subject"] == "[Postroom] error: it broke (3 times)"
    assert "an update" in text(update)
    assert (row["count_told"], row["tellings"]) == (3, 2)


async def test_what_comes_while_it_is_told_is_not_forgotten(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken, go_on = asyncio.Event(), asyncio.Event()
    take = mailbox.handle_DATA

    async def slow(*arguments: Any) -> str:
        taken.set()
        await go_on.wait()
        return await take(*arguments)

    mailbox.handle_DATA = slow  # type: ignore[method-assign]
    async with serving(monkeypatch, **settings(mailbox.port)):
        await notify(nats_client, notice())
        await taken.wait()
        await notify(nats_client, notice(), name="more")

        async def counted() -> bool:
            return bool(await database.strict.fetchval("SELECT count(*) FROM notifications WHERE count = 2"))

        await eventually(counted)
        go_on.set()
        await mailbox.messages(1)

        async def update_to_come() -> bool:
            row = await database.fetchrow("SELECT * FROM notification_deliveries WHERE channel = 'email'")
            assert row
            return (row["status"], row["count"], row["count_told"], row["holder"]) == ("pending", 2, 1, None)

        await eventually(update_to_come)


async def test_it_is_tried_again_under_the_same_id(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailbox.answers = ["451 4.3.0 later", "451 4.3.0 later"]
    await notify(nats_client, notice())
    async with serving(monkeypatch, **settings(mailbox.port, NOTIFY_RETRY_SECONDS="0.1,0.2")):
        await mailbox.messages(1)
        [row] = await deliveries(database, "told")
    assert row["tellings"] == 1


async def test_in_the_end_it_is_given_up_and_others_are_told(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailbox.answers = ["554 5.7.1 never"] * 3
    await notify(nats_client, notice())
    async with serving(monkeypatch, **settings(mailbox.port, NOTIFY_RETRY_SECONDS="0.05,0.05")):
        [row] = await deliveries(database, "failed")
        assert "554" in row["last_error"] or "5.7.1 never" in row["last_error"]

        async def said() -> str:
            return str(await database.strict.fetchval("SELECT detail FROM notifications WHERE kind = $1", KIND) or "")

        assert "given up after 3 attempts, with 1 notifications" in await eventually(said)
        # The channel that has failed is not asked to tell of that; the next notification it is asked to tell again.
        await notify(nats_client, notice("something else"), name="later")
        [message] = await mailbox.messages(1)
    assert message["subject"] == "[Postroom] error: something else"


KIND = "api.channel_failed"


async def test_a_channel_that_is_wrong_itself_stops_nothing_else(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is like one that takes nothing: tried again, given up, and told of by the others; the service lives on."""

    async def wrong(*_: object) -> None:
        raise KeyError("never seen")

    monkeypatch.setattr(EmailChannel, "tell", wrong)
    await notify(nats_client, notice())
    async with serving(monkeypatch, **settings(mailbox.port, NOTIFY_RETRY_SECONDS="0.05")):
        [row] = await deliveries(database, "failed")

        async def said() -> bool:
            return bool(await database.strict.fetchval("SELECT count(*) FROM notifications WHERE kind = $1", KIND))

        await eventually(said)
    assert (row["attempts"], row["last_error"]) == (2, "KeyError: 'never seen'")


async def test_an_address_that_is_refused_keeps_no_other_one_from_being_told(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    mailbox.refused = {"a@example.org"}
    await notify(nats_client, notice())
    async with serving(monkeypatch, **settings(mailbox.port)):
        await deliveries(database, "told")
    assert [envelope.rcpt_tos for envelope, _ in mailbox.took] == [["b@example.org"]]


async def test_what_a_dead_replica_was_telling_is_told_by_another_one(
    service_settings: ServiceSettings,
    database: Database,
    mailbox: Mailbox,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    await database.execute(
        "WITH n AS (INSERT INTO notifications (fingerprint, kind, severity, title) VALUES ('f', 'a.b', 'error', 'left')"
        " RETURNING id) INSERT INTO notification_deliveries (notification_id, channel, count, due_at, latest_at,"
        " attempts, holder, lease_until) SELECT id, 'email', 1, now(), now(), 1, gen_random_uuid(),"
        " now() - interval '1 s' FROM n"
    )
    async with serving(monkeypatch, **settings(mailbox.port)):
        [message] = await mailbox.messages(1)
        await deliveries(database, "told")
    assert message["subject"] == "[Postroom] error: left"


async def test_starttls_with_a_password(
    service_settings: ServiceSettings, nats_client: Client, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    context = certified(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
    secure = {"SMTP_SECURITY": "starttls", "SMTP_USER": USER, "SMTP_PASSWORD": PASSWORD}
    await notify(nats_client, notice())
    async with receiving(tls=context, auth=True) as mailbox, serving(monkeypatch, **settings(mailbox.port, **secure)):
        await mailbox.messages(1)
    assert mailbox.users == [USER]


async def test_a_server_that_nobody_vouches_for_is_told_nothing(
    service_settings: ServiceSettings,
    database: Database,
    nats_client: Client,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    context = certified(tmp_path)
    secure = {"SMTP_SECURITY": "starttls", "NOTIFY_RETRY_SECONDS": "0.05"}
    await notify(nats_client, notice())
    async with receiving(tls=context) as mailbox, serving(monkeypatch, **settings(mailbox.port, **secure)):
        [row] = await deliveries(database, "failed")
    assert "CERTIFICATE_VERIFY_FAILED" in row["last_error"]
    assert mailbox.took == []


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"NOTIFY_EMAIL_TO": ""}, "NOTIFY_EMAIL_TO is not set"),
        ({"NOTIFY_EMAIL_TO": "a@b, nobody"}, "NOTIFY_EMAIL_TO: it is no e-mail address"),
        ({"NOTIFY_EMAIL_FROM": "a@b\nBcc: c@d"}, "NOTIFY_EMAIL_FROM: it is no e-mail address"),
        ({"SMTP_HOST": ""}, "SMTP_HOST is not set"),
        ({"SMTP_HOST": "mail.example.org", "SMTP_USER": "a"}, "SMTP_SECURITY: with none, SMTP_PASSWORD"),
        ({"SMTP_SECURITY": "some"}, "SMTP_SECURITY: "),
        ({"SMTP_PORT": "-1"}, "SMTP_PORT: "),
        ({"NOTIFY_MIN_SEVERITY": "loud"}, "NOTIFY_MIN_SEVERITY: "),
        ({"NOTIFY_GATHER_SECONDS": "-1"}, "NOTIFY_GATHER_SECONDS: "),
        ({"NOTIFY_RETRY_SECONDS": "1,x"}, "NOTIFY_RETRY_SECONDS: "),
    ],
)
async def test_settings_that_are_wrong_are_named(
    service_settings: ServiceSettings, monkeypatch: pytest.MonkeyPatch, given: dict[str, str], problem: str
) -> None:
    for name, value in settings(25, **given).items():
        monkeypatch.setenv(name, value)
    stop = asyncio.Event()
    stop.set()
    with pytest.raises(SettingsError) as raised:
        await run(stop)
    assert str(raised.value).startswith(problem)
    assert "\n" not in str(raised.value)


def certified(directory: Path) -> ssl.SSLContext:
    """Certify a server `localhost`; certificate.pem vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (directory / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (directory / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "certificate.pem", directory / "key.pem")
    return context
