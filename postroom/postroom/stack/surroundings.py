"""The environment of the services: what points them at the sandbox, and what `.env` says instead."""

import json
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

# A variable of a group in `.env` switches the whole group to the real world.
TELEGRAM = ("TELEGRAM_API_ID", "TELEGRAM_API_HASH", "TELETHON_SESSION", "TELEGRAM_BOT_TOKEN", "TELEGRAM_SERVER")
MODEL = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL")


def announced(state: Path) -> dict[str, Any]:
    """Return what the sandbox announced."""
    contents: dict[str, Any] = json.loads((state / "sandbox.json").read_text())
    return contents


def given_settings() -> dict[str, str]:
    """Return what `.env` sets."""
    return {name: value for name, value in dotenv_values(".env").items() if value}


def real_parts(given: dict[str, str]) -> list[str]:
    """Return what `.env` switches to the real world, in words."""
    parts = {"Telegram": TELEGRAM, "the model": MODEL}
    return [part for part, names in parts.items() if any(name in given for name in names)]


def sandbox_environment(announcement: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Return the variables that point services at the sandbox, except for the groups that `given` sets.

    They win over the shell's own variables: a key that happens to be exported must not make the demo leave home.
    """
    environment: dict[str, str] = {}
    real = real_parts(given)
    if "Telegram" not in real:
        environment |= _telegram(announcement["telegram"])
    if "the model" not in real:
        model = announcement["model"]
        environment |= {
            "OPENAI_BASE_URL": model["base_url"],
            "OPENAI_API_KEY": model["api_key"],
            "OPENAI_MODEL": model["model"],
        }
    return environment


def _telegram(telegram: dict[str, Any]) -> dict[str, str]:
    user = next(account for account in telegram["accounts"] if account["name"] == "collector")
    bot = next(account for account in telegram["accounts"] if account["kind"] == "bot")
    return {
        "TELEGRAM_SERVER": f"{telegram['host']}:{telegram['port']}",
        "TELEGRAM_SERVER_PUBLIC_KEY": telegram["public_key_pem"],
        "TELEGRAM_DC": str(telegram["dc"]),
        "TELEGRAM_API_ID": str(telegram["api_id"]),
        "TELEGRAM_API_HASH": telegram["api_hash"],
        "TELETHON_SESSION": user["string_session"],
        "TELEGRAM_BOT_TOKEN": bot["token"],
    }
