"""The catalog of a stack on the sandbox: every source of the sandbox, routed to its destination."""

from typing import Any

from common.catalog import Catalog, RouteBroadcast
from common.chats import ChatEntry, Chats
from common.postgres import Database
from postroom.stack.surroundings import chat_address

FEED_SCHEDULE = "* * * * *"  # the demo's feed: every minute
QUIET_CHAT_MESSAGES = 2  # the last of the demo's chats wants so many messages of others between two posts


async def set_scene(database: Database, announcement: dict[str, Any], *, demo: bool = True) -> None:
    """Write sources, profile, destinations, routes and chats. What is there already stays or is brought up to date.

    The `demo` also illustrates every post that has no picture, broadcasts those of its first source, and asks a person
    about those of its feed, which go to all networks.
    """
    catalog = Catalog(database)
    [destination] = announcement["telegram"]["destinations"]
    target = f"telegram:@{destination['username']}"
    await catalog.put_destination(target, title=destination["title"], is_default=True)
    networks: list[str] = []
    for platform in ("instagram", "x"):
        for number, account in enumerate(announcement[platform]["accounts"]):
            address = f"{platform}:{account['username']}"
            await catalog.put_destination(address, title=account["username"], is_default=number == 0)
            if number == 0:
                networks.append(address)
    profile = await catalog.put_profile(
        "newsroom",
        style="clear and concrete, in short sentences",
        instructions="Keep the tone of a newsroom.",
        by="postroom up",
    )
    chats = await _put_chats(database, announcement)
    for number, source in enumerate(announcement["telegram"]["sources"]):
        source_id = await catalog.put_source("telegram", chat_address(source), title=source["title"])
        await catalog.put_route(
            f"{source['title']} ({chat_address(source)})",
            source_id=source_id,
            profile_id=profile,
            targets=[target],
            illustrate=demo,
            broadcast=RouteBroadcast(chats) if demo and chats and number == 0 else None,
        )
    for feed in announcement["feeds"]:
        source_id = await catalog.put_source(
            "feed", feed["url"], title=feed["title"], schedule=FEED_SCHEDULE, allow_private=True
        )
        await catalog.put_route(
            f"{feed['title']} (feed)",
            source_id=source_id,
            profile_id=profile,
            targets=[target, *networks] if demo else [target],
            approval=demo,
            illustrate=demo,
        )


async def _put_chats(database: Database, announcement: dict[str, Any]) -> tuple[str, ...]:
    described = announcement["telegram"]["broadcast_chats"]
    entries = [ChatEntry(chat_address(chat), chat["title"], min_messages_between=0) for chat in described]
    if entries:
        last = described[-1]
        entries[-1] = ChatEntry(chat_address(last), last["title"], min_messages_between=QUIET_CHAT_MESSAGES)
        await Chats(database).put(entries)
    return tuple(entry.address for entry in entries)
