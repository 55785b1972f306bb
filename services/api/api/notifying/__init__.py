"""Notifications: kept with their like as one, and told to people by channels, a storm as one message."""
