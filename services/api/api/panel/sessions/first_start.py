"""The link that makes the first administrator, for whoever sees the output of the service."""

import sys

from common.postgres import Database
from common.users import Setup


async def tell_of_set_up(database: Database, url: str) -> None:
    """Print the link as long as nobody uses the panel. It is no log record: those are kept, and others read them."""
    if code := await Setup(database).code("api"):
        address = url.replace("//0.0.0.0:", "//127.0.0.1:")
        print(
            f"Nobody uses the panel yet. Make the administrator: {address}/set-up?code={code}",
            file=sys.stderr,
            flush=True,
        )
