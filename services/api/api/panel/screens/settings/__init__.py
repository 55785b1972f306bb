"""Settings: what is one's own, and what administrators look after. A module per tab."""

from api.panel.screens.settings import audit, budgets, notifications, profile, system, tokens, users, webhooks

ROUTERS = [each.router for each in (profile, users, tokens, notifications, webhooks, budgets, audit, system)]
