"""The settings, as people write them, and the schema that the model is given."""

import pytest

from common.service import SettingsError, load_settings
from rewriter.answer import answer_format
from rewriter.settings import OpenAISettings, Price


def test_prices_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    assert load_settings(OpenAISettings).openai_prices["gpt-4o-mini"] == Price(prompt=0.15, completion=0.6)
    monkeypatch.setenv("OPENAI_PRICES", '{"mine": {"prompt": 1, "completion": 2}}')
    assert load_settings(OpenAISettings).openai_prices == {"mine": Price(prompt=1, completion=2)}
    monkeypatch.setenv("OPENAI_PRICES", "cheap")
    with pytest.raises(SettingsError, match=r"^OPENAI_PRICES: "):
        load_settings(OpenAISettings)


def test_the_key_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(SettingsError, match=r"^OPENAI_API_KEY is not set"):
        load_settings(OpenAISettings)


def test_the_schema_is_strict() -> None:
    schema = answer_format()["json_schema"]["schema"]
    assert schema["additionalProperties"] is False
    assert set(schema["required"]) == set(schema["properties"])
