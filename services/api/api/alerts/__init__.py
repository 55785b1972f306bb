"""Alerts: what is wrong is found by checks, told once with a count, and told again when it is over."""
