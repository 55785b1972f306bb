"""Fixtures for the whole workspace: real NATS and PostgreSQL servers, embedded."""

# These two packages lie in folders of their own names at the root. pytest names a test module by its path, so it would
# take the folder for the package unless the package is there first.
import postroom  # noqa: F401
import sandbox  # noqa: F401

pytest_plugins = ["common.testing.fixtures"]
