"""The catalog of a stack on the sandbox: every source of the sandbox, routed to its destination."""

from typing import Any

from common.catalog import Catalog
from common.postgres import Database

FEED_SCHEDULE = "* * * * *"  # the demo's feed: every minute


async def set_scene(database: Database, announcement: dict[str, Any]) -> None:
    """Write sources, profile, destination and routes. What is there already stays or is brought up to date."""
    catalog = Catalog(database)
    [destination] = announcement["telegram"]["destinations"]
    target = f"telegram:@{destination['username']}"
    await catalog.put_destination(target, title=destination["title"])
    profile = await catalog.put_profile(
        "newsroom", style="clear and concrete, in short sentences", instructions="Keep the tone of a newsroom."
    )
    for source in announcement["telegram"]["sources"]:
        address = f"@{source['username']}" if source["username"] else str(source["id"])
        source_id = await catalog.put_source("telegram", address, title=source["title"])
        await catalog.put_route(
            f"{source['title']} ({address})", source_id=source_id, profile_id=profile, targets=[target]
        )
    for feed in announcement["feeds"]:
        source_id = await catalog.put_source(
            "feed", feed["url"], title=feed["title"], schedule=FEED_SCHEDULE, allow_private=True
        )
        await catalog.put_route(f"{feed['title']} (feed)", source_id=source_id, profile_id=profile, targets=[target])
