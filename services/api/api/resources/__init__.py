"""What the API has, one module per noun: how it is given and answered, and 5 to 15 lines per operation."""

from fastapi import APIRouter

from api.resources import (
    alerts,
    audit,
    broadcasts,
    budgets,
    calendar,
    chats,
    contents,
    dead_letters,
    destinations,
    events,
    health,
    images,
    inbox,
    jobs,
    logs,
    metrics,
    notifications,
    operations,
    post_decisions,
    posts,
    profiles,
    queues,
    routes,
    rules,
    scheduled_posts,
    source_activity,
    source_checks,
    sources,
    spending,
    verification,
    webhooks,
)


def routers() -> list[APIRouter]:
    """Return the routers of all resources."""
    modules = (
        source_activity, source_checks,
        sources, profiles, destinations, routes, posts, post_decisions, inbox, contents, scheduled_posts, rules,
        broadcasts, calendar, budgets, spending,
        chats, queues, jobs, dead_letters, operations, images, notifications, alerts, webhooks, audit, logs, health,
        metrics, verification, events,
    )  # fmt: skip
    return [module.router for module in modules]
