"""What the userbot is told by its settings."""

import pytest

from common.service import load_settings
from common.settings import SettingsError
from userbot.settings import SummarySettings, UserbotSettings


def test_the_usual_chats_are_checked_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_CHAT_IDS", " https://t.me/City_Chat, -1001234567890,@Other_chat,")
    assert load_settings(UserbotSettings).target_chat_ids == ("@city_chat", "-1001234567890", "@other_chat")
    monkeypatch.setenv("TARGET_CHAT_IDS", "@city_chat,foo bar")
    with pytest.raises(SettingsError, match=r"^TARGET_CHAT_IDS: .*'foo bar' is no chat"):
        load_settings(UserbotSettings)


def test_the_variable_of_the_session_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("USERBOT_TELETHON_SESSION", raising=False)
    monkeypatch.setenv("TELETHON_SESSION", "shared")
    assert load_settings(UserbotSettings).session_variable == "TELETHON_SESSION"
    monkeypatch.setenv("USERBOT_TELETHON_SESSION", "own")
    assert load_settings(UserbotSettings).session_variable == "USERBOT_TELETHON_SESSION"
    monkeypatch.delenv("USERBOT_TELETHON_SESSION")
    monkeypatch.setenv("USERBOT_OWN_SESSION", "true")
    assert load_settings(UserbotSettings).session_variable == "USERBOT_TELETHON_SESSION"


def test_a_token_of_a_wrong_shape_stops_the_start_without_being_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    for wrong in ("nonsense", "987654321", "abc:def", "123:with space"):
        monkeypatch.setenv("ADMIN_NOTIFY_BOT_TOKEN", wrong)
        with pytest.raises(SettingsError, match=r"^ADMIN_NOTIFY_BOT_TOKEN: it is no token of @BotFather") as refused:
            load_settings(SummarySettings)
        assert wrong not in str(refused.value)
    monkeypatch.setenv("ADMIN_NOTIFY_BOT_TOKEN", "123456789:AA-b_c")
    assert load_settings(SummarySettings).admin_notify_bot_token.get_secret_value() == "123456789:AA-b_c"
