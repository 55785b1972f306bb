"""What the API has, one module per noun: how it is given and answered, and 5 to 15 lines per operation."""

from fastapi import APIRouter

from api.resources import (
    alerts,
    audit,
    broadcasts,
    budgets,
    calendar,
    chats,
    connections,
    contents,
    dead_letters,
    destinations,
    dry_runs,
    events,
    health,
    images,
    inbox,
    jobs,
    logs,
    metrics,
    notification_tests,
    notifications,
    operations,
    overview,
    post_decisions,
    post_records,
    posts,
    profile_trials,
    profile_versions,
    profiles,
    queues,
    quotas,
    routes,
    rules,
    scheduled_posts,
    settings,
    source_activity,
    source_checks,
    sources,
    spending,
    tokens,
    users,
    verification,
    webhooks,
)


def routers() -> list[APIRouter]:
    """Return the routers of all resources."""
    modules = (
        source_activity, source_checks, dry_runs,
        sources, profiles, destinations, routes, posts, post_decisions, post_records, inbox,
        contents, scheduled_posts, rules,
        broadcasts, calendar, budgets, spending, quotas, profile_versions, profile_trials,
        chats, queues, jobs, dead_letters, operations, images, notification_tests, notifications,
        alerts, webhooks, audit, logs, health,
        metrics, overview, verification, users, tokens, connections, settings, events,
    )  # fmt: skip
    return [module.router for module in modules]
