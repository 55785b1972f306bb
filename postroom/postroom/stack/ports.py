"""Ports on this machine."""

import socket

from pydantic import Field

from common.settings import SettingsGroup


class ApiAddress(SettingsGroup):
    """Where the REST API is to listen."""

    api_host: str = "127.0.0.1"
    api_port: int = Field(default=8080, ge=0, le=65535)


def free_port(wanted: int, host: str) -> int:
    """Return a port that can be listened on: the one that is wanted, or any where that is taken or 0."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise OSError(f"{host} has no port that is free")
