"""The outside systems that posts are collected from."""
