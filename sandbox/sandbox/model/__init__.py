"""An OpenAI-compatible endpoint whose answers are deterministic rewrites of what it is given."""
