"""The environment of the services: what points them at the sandbox, and what `.env` says instead."""

import json
import secrets
from pathlib import Path
from typing import Any

from dotenv import dotenv_values

# A variable of a group in `.env` switches the whole group to the real world.
TELEGRAM = (
    "TELEGRAM_API_ID",
    "TELEGRAM_API_HASH",
    "TELETHON_SESSION",
    "USERBOT_TELETHON_SESSION",
    "TELEGRAM_BOT_TOKEN",
    "ADMIN_NOTIFY_BOT_TOKEN",
    "TELEGRAM_SERVER",
)
INSTAGRAM = ("INSTAGRAM_ACCOUNTS", "INSTAGRAM_BASE_URL")
X = ("X_ACCOUNTS", "X_BASE_URL")
MODEL = ("OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_MODEL", "OPENAI_IMAGE_MODEL")


def announced(state: Path) -> dict[str, Any]:
    """Return what the sandbox announced."""
    contents: dict[str, Any] = json.loads((state / "sandbox.json").read_text("utf-8"))
    return contents


def given_settings() -> dict[str, str]:
    """Return what `.env` sets."""
    return {name: value for name, value in dotenv_values(".env", encoding="utf-8-sig").items() if value}


PARTS = {"Telegram": TELEGRAM, "the model": MODEL, "Instagram": INSTAGRAM, "X": X}


def real_parts(given: dict[str, str]) -> list[str]:
    """Return what `.env` switches to the real world, in words."""
    return [part for part, names in PARTS.items() if any(name in given for name in names)]


def sandbox_environment(announcement: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Return the variables that point services at the sandbox, except for the groups that `given` sets.

    They win over the shell's own variables: a key that happens to be exported must not make the demo leave home.
    """
    real = real_parts(given)
    environment = {"PANEL_SANDBOX": ", ".join(part for part in PARTS if part not in real) if real else "all"}
    if "Telegram" not in real:
        environment |= _telegram(announcement["telegram"])
    if "the model" not in real:
        model = announcement["model"]
        environment |= {
            "OPENAI_BASE_URL": model["base_url"],
            "OPENAI_API_KEY": model["api_key"],
            "OPENAI_MODEL": model["model"],
            "OPENAI_IMAGE_MODEL": model["image_model"],
        }
    if "Instagram" not in real:
        instagram = announcement["instagram"]
        environment |= {
            "INSTAGRAM_BASE_URL": f"{instagram['base_url']}/{instagram['version']}",
            "INSTAGRAM_ACCOUNTS": _accounts(instagram),
        }
    if "X" not in real:
        environment |= {"X_BASE_URL": announcement["x"]["base_url"], "X_ACCOUNTS": _accounts(announcement["x"])}
    return environment


def media_links(api_url: str, given: dict[str, str]) -> dict[str, str]:
    """Return where the sandbox's Instagram fetches pictures: from the api of the stack, under addresses of this run."""
    if set(INSTAGRAM) & set(given):
        return {}
    return {"API_BASE_URL": api_url, "MEDIA_URL_SECRET": given.get("MEDIA_URL_SECRET") or secrets.token_urlsafe(32)}


def canary(announcement: dict[str, Any], given: dict[str, str]) -> dict[str, str]:
    """Return where the demo's canary goes, every minute; nothing where `given` says so or Telegram is the real one."""
    if "CANARY_TARGET" in given or set(TELEGRAM) & set(given):
        return {}
    [chat] = announcement["telegram"]["canary"]
    return {"CANARY_TARGET": f"telegram:{chat_address(chat)}", "CANARY_MINUTES": "1"}


def chat_address(chat: dict[str, Any]) -> str:
    """Return how an announced chat is addressed: by its name, or where it has none by its id."""
    return f"@{chat['username']}" if chat["username"] else str(chat["id"])


def _accounts(platform: dict[str, Any]) -> str:
    """Return the credentials of announced accounts. The first refresh token is good once, so it is left out."""
    return json.dumps(
        {
            account["username"]: {"user_id": account["id"], "access_token": account["access_token"]}
            for account in platform["accounts"]
        }
    )


def _telegram(telegram: dict[str, Any]) -> dict[str, str]:
    accounts = {account["name"]: account for account in telegram["accounts"]}
    return {
        "TELEGRAM_SERVER": f"{telegram['host']}:{telegram['port']}",
        "TELEGRAM_SERVER_PUBLIC_KEY": telegram["public_key_pem"],
        "TELEGRAM_DC": str(telegram["dc"]),
        "TELEGRAM_API_ID": str(telegram["api_id"]),
        "TELEGRAM_API_HASH": telegram["api_hash"],
        "TELETHON_SESSION": accounts["collector"]["string_session"],
        "USERBOT_TELETHON_SESSION": accounts["userbot"]["string_session"],
        "TELEGRAM_BOT_TOKEN": accounts["publisher"]["token"],
        "ADMIN_NOTIFY_BOT_TOKEN": "",  # empty is not set: the sandbox does not know the bot of an exported one
        "TARGET_CHAT_IDS": ",".join(map(chat_address, telegram["broadcast_chats"])),
    }
