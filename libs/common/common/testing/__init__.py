"""Real servers and real queues for tests. Production code never imports this."""
