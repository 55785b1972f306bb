"""`sandbox.json`: where a running sandbox is found, and which ports it had."""

import json
import os
from pathlib import Path
from socket import AF_INET, SO_REUSEADDR, SOCK_STREAM, SOL_SOCKET, socket
from typing import Any

FILE = "sandbox.json"


def read_announcement(state: Path | None) -> dict[str, Any]:
    """Return what the last run announced in this directory; empty where there is nothing readable."""
    try:
        announced = json.loads((state / FILE).read_text("utf-8")) if state else {}
    except (OSError, ValueError):
        return {}
    return announced if isinstance(announced, dict) else {}


def write_announcement(state: Path, announced: dict[str, Any]) -> None:
    """Replace the file as a whole, so that a reader sees the old one or the new one. It holds keys: owner only."""
    state.mkdir(parents=True, exist_ok=True)
    fresh = state / f"{FILE}.{os.getpid()}"
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
        json.dump(announced, file, ensure_ascii=False, indent=2)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(state / FILE)


def remembered_port(announced: dict[str, Any], part: str) -> int:
    """Return the port that `http` or `telegram` had in the last run, or 0."""
    port = announced.get(part, {}).get("port", 0) if isinstance(announced.get(part, {}), dict) else 0
    return port if isinstance(port, int) else 0


def bind(host: str, wanted: int, remembered: int) -> socket:
    """Return a TCP socket bound to the wanted port, or else to the remembered one if it is free, or to any.

    Raises OSError where the wanted port is taken.
    """
    if wanted:
        return _bound(host, wanted)
    try:
        return _bound(host, remembered)
    except OSError:
        return _bound(host, 0)


def _bound(host: str, port: int) -> socket:
    listener = socket(AF_INET, SOCK_STREAM)
    try:
        listener.setsockopt(SOL_SOCKET, SO_REUSEADDR, 1)
        listener.bind((host, port))
    except OSError:
        listener.close()
        raise
    return listener
