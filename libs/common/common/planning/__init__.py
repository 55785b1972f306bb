"""Planning: contents written from a brief, rules that make posts by themselves, posts that wait for their time."""
