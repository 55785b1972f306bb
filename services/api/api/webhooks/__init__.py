"""Webhooks: events as signed HTTP requests, repeated until somebody takes them."""
