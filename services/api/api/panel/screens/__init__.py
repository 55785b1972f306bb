"""What the panel has, one module per screen."""

from fastapi import APIRouter

from api.panel.screens import (
    ai,
    ai_trials,
    ai_versions,
    alerts,
    broadcasts,
    calendar,
    calendar_new,
    chats,
    dead_letters,
    images,
    inbox,
    jobs,
    logs,
    operations,
    overview,
    post,
    posts,
    queues,
    rules,
    settings,
    sources,
    sources_destinations,
    sources_routes,
)
from api.panel.sessions import preferences, signing


def screens() -> list[APIRouter]:
    """Return the routers of all screens."""
    return [
        module.router
        for module in (
            sources_routes,
            sources_destinations,
            sources,
            chats,
            broadcasts,
            overview,
            ai,
            ai_trials,
            ai_versions,
            images,
            inbox,
            posts,
            post,
            calendar,
            calendar_new,
            rules,
            queues,
            jobs,
            logs,
            dead_letters,
            operations,
            alerts,
            signing,
            preferences,
        )
    ] + settings.ROUTERS
