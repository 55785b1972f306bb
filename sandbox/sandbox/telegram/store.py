"""What the sandbox's Telegram keeps."""

from pathlib import Path

from sandbox.records import Records


class Store(Records):
    """The records of Telegram. The server commits once for all requests that arrived together, then answers them."""

    def __init__(self, path: Path | None = None) -> None:
        super().__init__(path, "sandbox.telegram")

    def remembered(self, name: str) -> bytes | None:
        """A value kept under a name, such as the server's RSA key."""
        row = self.row("meta_get", name)
        return row[0] if row else None

    def remember(self, name: str, value: bytes) -> None:
        """Keep a value under a name."""
        self.write("meta_put", name, value)
