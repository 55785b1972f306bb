"""Sessions and their health, on a real MTProto connection."""

import asyncio
import os
import re
import secrets
from pathlib import Path
from types import SimpleNamespace

import pytest
from telethon import errors
from telethon.crypto import AuthKey
from telethon.sessions.sqlite import SQLiteSession
from telethon.sessions.string import StringSession
from telethon.tl.functions.messages import GetHistoryRequest

from common.postgres import Database
from common.settings import SettingsError
from common.telegram.client import call, connect, create_client, disconnect
from common.telegram.health import SessionDead, SessionUnavailable, ensure_healthy, reason, rpc_name
from common.telegram.peers import Peers
from common.telegram.sessions import BotSessions, open_user, session_name, user_session
from common.telegram.settings import TelegramSettings
from sandbox.faults import Fault


async def test_a_string_session_is_healthy(telegram):
    client = await telegram.open()
    me = await ensure_healthy(client)
    assert me.id == telegram.reader.id
    await disconnect(client)


async def test_a_lost_connection_is_made_again(telegram):
    client = await telegram.open()
    telegram.faults.add(Fault(where="telegram:users.GetUsers", kind="drop", times=2))
    connects = []
    await ensure_healthy(client, lambda: connects.append(1))
    assert connects
    await disconnect(client)


async def test_three_reconnects_that_fail_are_enough(telegram):
    client = await telegram.open()
    telegram.faults.add(Fault(where="telegram:users.GetUsers", kind="drop", times=100))
    with pytest.raises(SessionUnavailable, match="3 reconnects failed: Connection"):
        await ensure_healthy(client)
    assert not client.is_connected()


async def test_a_revoked_session_is_dead(telegram):
    client = await telegram.open()
    telegram.world.revoke_sessions(telegram.reader)
    with pytest.raises(SessionDead, match="SESSION_REVOKED"):
        await ensure_healthy(client)


async def test_a_session_used_twice_is_dead(telegram):
    client = await telegram.open()
    telegram.faults.add(Fault(where="telegram:users.GetUsers", kind="auth_key_duplicated"))
    with pytest.raises(SessionDead, match="AUTH_KEY_DUPLICATED"):
        await ensure_healthy(client)


async def test_what_another_connection_does_not_change_is_told_at_once(telegram):
    client = await telegram.open()
    telegram.faults.add(Fault(where="telegram:users.GetUsers", kind="rpc_error", message="API_ID_INVALID", times=2))
    with pytest.raises(SessionUnavailable, match=r"^API_ID_INVALID"):
        await ensure_healthy(client)
    assert not client.is_connected()


async def test_a_session_that_the_server_never_saw_is_dead(telegram):
    settings = telegram.settings
    session = user_session(telegram.session)
    session.auth_key.key = bytes(255) + b"\x01"
    with pytest.raises(SessionDead, match="AUTH_KEY_NOT_FOUND"):
        await ensure_healthy(create_client(session, settings))


async def test_a_key_that_begins_with_a_zero_is_made_anew(telegram, monkeypatch):
    """Telethon drops the zero, and the server proves the key with it."""
    chosen = [(2**2001 + 2).to_bytes(256, "big")]  # with the server's choice below, the key has 255 bytes

    def urandom(size: int) -> bytes:
        return chosen.pop() if size == 256 and chosen else os.urandom(size)

    monkeypatch.setattr(secrets, "randbits", lambda bits: 2**2000)
    monkeypatch.setattr("telethon.network.authenticator.os", SimpleNamespace(urandom=urandom))
    client = create_client(StringSession(), telegram.settings)
    await connect(client)
    assert not chosen
    assert client.is_connected()
    await disconnect(client)


async def test_one_flood_wait_leaves_the_next_call_of_its_kind_alone(telegram):
    """Telethon itself would refuse every later GetHistory locally, for every chat."""
    channels = [telegram.world.add_channel(name, name, telegram.reader) for name in ("first_one", "second_one")]
    client = await telegram.open()
    telegram.faults.add(
        Fault(where="telegram:messages.GetHistory", kind="flood_wait", seconds=100, chat=channels[0].id)
    )
    peers = [await client.get_input_entity(channel.username) for channel in channels]
    with pytest.raises(errors.FloodWaitError) as refused:
        await call(client, history_of(peers[0]))
    assert refused.value.seconds == 100
    assert (await call(client, history_of(peers[1]))).messages == []
    await disconnect(client)


async def test_a_call_without_an_answer_ends(telegram):
    client = await telegram.open()
    peer = await client.get_input_entity("me")
    telegram.faults.add(Fault(where="telegram:messages.GetHistory", kind="lost_answer"))
    with pytest.raises(TimeoutError, match="no answer to GetHistoryRequest within"):
        await call(client, history_of(peer), timeout=0.2)
    await disconnect(client)


async def test_a_call_whose_connection_ends_fails_and_is_not_cancelled(telegram):
    client = await telegram.open()
    peer = await client.get_input_entity("me")
    telegram.faults.add(Fault(where="telegram:messages.GetHistory", kind="drop"))
    with pytest.raises(ConnectionError):
        await call(client, history_of(peer))
    await disconnect(client)


async def test_cancelling_a_call_is_still_cancelling(telegram):
    client = await telegram.open()
    peer = await client.get_input_entity("me")
    telegram.faults.add(Fault(where="telegram:messages.GetHistory", kind="lost_answer"))
    task = asyncio.create_task(call(client, history_of(peer)))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await disconnect(client)


async def test_a_session_file_is_read(telegram, tmp_path: Path):
    string = user_session(telegram.session)
    file = SQLiteSession(str(tmp_path / "user"))
    file.set_dc(2, "127.0.0.1", telegram.server.port)
    file.auth_key = string.auth_key
    file.save()
    file.close()
    client = await telegram.open(str(tmp_path / "user.session"))
    assert (await ensure_healthy(client)).id == telegram.reader.id
    await disconnect(client)


def string_session(key: bytes, host: str) -> str:
    session = StringSession()
    session.set_dc(2, host, 443)
    session.auth_key = AuthKey(key)
    return str(session.save())


def test_a_session_has_one_name_wherever_its_server_is():
    key, other = bytes(range(256)), bytes(range(1, 256)) + b"x"
    names = {session_name(string_session(key, host)) for host in ("127.0.0.1", "149.154.167.51", "2001:67c:4e8::a")}
    assert len(names) == 1
    assert session_name(string_session(other, "127.0.0.1")) not in names
    assert re.fullmatch(r"user-[0-9a-f]{10}", *names)


def test_a_session_file_has_one_name_however_it_is_written(tmp_path: Path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names = {session_name(value) for value in ("mine", "./mine.session", f" {tmp_path}/mine\n", "x/../mine")}
    assert len(names) == 1
    assert session_name("other") not in names


@pytest.mark.parametrize(
    ("value", "message"), [("", "TELETHON_SESSION is not set"), ("nowhere", "neither a string session nor")]
)
def test_no_session_is_told(value, message):
    with pytest.raises(SessionDead, match=message):
        user_session(value)
    with pytest.raises(SessionDead, match=r"^USERBOT_TELETHON_SESSION is n"):
        user_session(value, "USERBOT_TELETHON_SESSION")


@pytest.mark.parametrize("value", ["1" + "A" * 351, "1" + "secret" * 20, "1" + "A" * 352, "1" + "!" * 352])
def test_what_is_left_of_a_session_is_refused_and_not_shown(value):
    with pytest.raises(SessionDead, match="TELETHON_SESSION is a string session of which something is missing") as told:
        user_session(value)
    assert value[:20] not in str(told.value)


def test_a_file_that_is_no_session_is_told(tmp_path: Path):
    (tmp_path / "notes.session").write_text("this is no database at all, and no session either")
    with pytest.raises(SessionDead, match=r"the session file notes\.session can't be read"):
        user_session(str(tmp_path / "notes"))


async def test_a_bot_signs_in_once(telegram, database: Database):
    settings = telegram.settings
    for _ in range(2):
        client = await BotSessions(database, settings).open("publisher", telegram.bot.token)
        assert (await ensure_healthy(client)).id == telegram.bot.id
        await disconnect(client)
    assert telegram.server.calls()["auth.ImportBotAuthorization"] == 1
    stored = await database.strict.fetchval("SELECT session FROM telegram_sessions")
    assert telegram.bot.token.encode() not in stored
    assert not stored.startswith(b"1")


async def test_a_bot_whose_session_is_dead_signs_in_again(telegram, database: Database):
    sessions = BotSessions(database, telegram.settings)
    await disconnect(await sessions.open("publisher", telegram.bot.token))
    telegram.world.revoke_sessions(telegram.bot)
    await disconnect(await sessions.open("publisher", telegram.bot.token))
    assert telegram.server.calls()["auth.ImportBotAuthorization"] == 2


async def test_a_wrong_token_is_told(telegram, database: Database):
    with pytest.raises(SessionDead, match="ACCESS_TOKEN_INVALID"):
        await BotSessions(database, telegram.settings).open("publisher", "1:wrong")


async def test_a_name_is_resolved_once(telegram, database: Database):
    channel = telegram.world.add_channel("News", "news_channel", telegram.reader)
    client = await telegram.open()
    for address in ("@news_channel", "https://t.me/News_Channel", "news_channel"):
        peer = await Peers(database, client, telegram.reader.id).resolve(address)
        assert peer.marked_id == channel.id
    assert telegram.server.calls()["contacts.ResolveUsername"] == 1
    await disconnect(client)


async def test_an_outdated_peer_is_resolved_again(telegram, database: Database):
    telegram.world.add_channel("News", "news_channel", telegram.reader)
    client = await telegram.open()
    peers = Peers(database, client, telegram.reader.id)
    await peers.resolve("@news_channel")
    await database.execute("UPDATE telegram_peers SET access_hash = access_hash + 1")
    answer = await peers.using("@news_channel", lambda peer: call(client, history_of(peer.input_peer)))
    assert answer.messages == []
    assert telegram.server.calls()["contacts.ResolveUsername"] == 2
    await disconnect(client)


@pytest.mark.parametrize("who", ["reader", "bot"])
async def test_an_id_is_resolved(telegram, database: Database, who):
    account = getattr(telegram, who)
    channel = telegram.world.add_channel("Private", None, telegram.reader, admins=[telegram.bot])
    client = await (
        BotSessions(database, telegram.settings).open("publisher", account.token) if who == "bot" else telegram.open()
    )
    peer = await Peers(database, client, account.id, bot=who == "bot").resolve(str(channel.id))
    assert (peer.marked_id, peer.title) == (channel.id, "Private")
    await disconnect(client)


def test_what_is_missing_is_named():
    with pytest.raises(SettingsError, match=r"^TELEGRAM_API_ID is not set"):
        TelegramSettings(_env_file=None)
    with pytest.raises(SettingsError, match=r"^TELEGRAM_SERVER_PUBLIC_KEY is not set"):
        TelegramSettings(_env_file=None, telegram_server="127.0.0.1:1")


def test_errors_have_telegrams_own_names():
    assert rpc_name(errors.UserDeactivatedBanError(None)) == "USER_DEACTIVATED_BAN"
    assert rpc_name(errors.BadRequestError(None, "FOO_BAR")) == "FOO_BAR"
    assert reason(errors.ChannelPrivateError(None)).startswith("CHANNEL_PRIVATE: The channel")
    assert reason(TimeoutError()) == "TimeoutError"


async def test_a_server_that_is_away_is_unavailable(telegram):
    settings = telegram.settings.model_copy(update={"telegram_server": "127.0.0.1:1"})
    with pytest.raises(SessionUnavailable, match="3 reconnects failed"):
        await open_user(telegram.session, settings)


async def test_connecting_twice_is_no_error(telegram):
    client = create_client(StringSession(), telegram.settings)
    await connect(client)
    await connect(client)
    await disconnect(client)
    await disconnect(client)


def history_of(peer):
    return GetHistoryRequest(peer, 0, None, 0, 10, 0, 0, 0)
