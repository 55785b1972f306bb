"""Figures of the whole system for Prometheus, read when it asks."""
