"""Rewrites collected posts with a language model, once for each route of their source, and writes posts from briefs."""
