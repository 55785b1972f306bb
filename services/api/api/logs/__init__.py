"""Keeps the log records of all services."""
