"""Instagram's Graph API in miniature: containers, publishing, quota, and the posts that came of it."""
