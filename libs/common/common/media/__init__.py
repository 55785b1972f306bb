"""Images and files of posts: told apart, checked, converted, and kept in the object store. Needs the `media` extra."""
