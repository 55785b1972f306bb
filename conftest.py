"""Fixtures for the whole workspace: real NATS and PostgreSQL servers, embedded."""

pytest_plugins = ["common.testing.fixtures"]
