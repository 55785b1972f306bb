"""Publishes posts, each exactly once and in order."""
