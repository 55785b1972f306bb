"""Queues under control: how they stand, pausing them, and settings that change at run time."""
