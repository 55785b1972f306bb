"""What the panel has, one module per screen."""

from fastapi import APIRouter

from api.panel.screens import calendar, overview, rules
from api.panel.sessions import preferences, signing


def screens() -> list[APIRouter]:
    """Return the routers of all screens."""
    return [module.router for module in (overview, calendar, rules, signing, preferences)]
