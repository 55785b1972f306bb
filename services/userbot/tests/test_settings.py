"""What the userbot is told by its settings."""

import pytest

from common.service import load_settings
from common.settings import SettingsError
from userbot.settings import UserbotSettings


def test_the_usual_chats_are_checked_at_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TARGET_CHAT_IDS", " https://t.me/City_Chat, -1001234567890,@Other_chat,")
    assert load_settings(UserbotSettings).target_chat_ids == ("@city_chat", "-1001234567890", "@other_chat")
    monkeypatch.setenv("TARGET_CHAT_IDS", "@city_chat,foo bar")
    with pytest.raises(SettingsError, match=r"^TARGET_CHAT_IDS: .*'foo bar' is no chat"):
        load_settings(UserbotSettings)
