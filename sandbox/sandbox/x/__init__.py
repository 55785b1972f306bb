"""The X API v2 in miniature: posts, media, tokens, and the limits on them."""
