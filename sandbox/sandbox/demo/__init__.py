"""The world that the sandbox starts with: our own demo content, or a corpus of channels."""
