"""What the API has, one module per noun: how it is given and answered, and 5 to 15 lines per operation."""

from fastapi import APIRouter

from api.resources import (
    audit,
    broadcasts,
    chats,
    destinations,
    health,
    images,
    jobs,
    notifications,
    post_decisions,
    posts,
    profiles,
    routes,
    scheduled_posts,
    sources,
    webhooks,
)


def routers() -> list[APIRouter]:
    """Return the routers of all resources."""
    modules = (
        sources, profiles, destinations, routes, posts, post_decisions, scheduled_posts, broadcasts, chats, jobs,
        images, notifications, webhooks, audit, health,
    )  # fmt: skip
    return [module.router for module in modules]
