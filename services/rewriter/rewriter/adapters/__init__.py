"""The outside systems that the rewriter talks to."""
