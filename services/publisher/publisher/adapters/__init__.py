"""The platforms that posts are published to."""
