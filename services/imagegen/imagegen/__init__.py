"""Has images made for posts by a model, and keeps what the object store holds."""
