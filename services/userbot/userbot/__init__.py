"""Sends posts to many chats as a user account."""
