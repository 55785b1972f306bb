"""Models behind OpenAI-compatible endpoints: client, errors, a gate before a busy one. Needs the `model` extra."""
