"""The methods that the server has, one module per part of Telegram's API."""

from sandbox.telegram.handlers import account, buttons, channels, history, messages, updates, uploads
from sandbox.telegram.handlers.calls import Routes


def all_routes() -> Routes:
    """Every method of the server."""
    routes = Routes()
    for part in (account, buttons, channels, history, messages, updates, uploads):
        routes.update(part.routes)
    return routes
