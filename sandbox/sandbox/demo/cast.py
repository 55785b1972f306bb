"""Who is in the sandbox's Telegram, and which chats the product works on."""

from dataclasses import dataclass, field

from sandbox.telegram.chats import Chat
from sandbox.telegram.people import User
from sandbox.telegram.world import World


@dataclass(frozen=True, slots=True)
class Cast:
    """The accounts that services sign in with, and the chats.

    The collector's user reads `sources`, the publisher's bot writes to `destination` and to `canary`, which has no
    readers, and the userbot's user writes to `broadcast_chats`.
    """

    editor: User
    collector: User
    publisher: User
    userbot: User
    destination: Chat
    canary: Chat
    sources: list[Chat] = field(default_factory=list)
    broadcast_chats: list[Chat] = field(default_factory=list)


def assemble(world: World) -> Cast:
    """Make the accounts and the destination, or find those of an earlier run."""
    editor = world.add_user("Newsroom editor", phone="+99966 1 0001")
    collector = world.add_user("collector", phone="+99966 1 0002", username="postroom_collector")
    publisher = world.add_bot("publisher", "postroom_publisher_bot")
    userbot = world.add_user("userbot", phone="+99966 1 0004", username="postroom_userbot")
    destination = world.add_channel(
        "Postroom Demo", "postroom_demo", editor, members=[collector, userbot], admins=[publisher]
    )
    canary = world.add_channel("Postroom canary", "postroom_canary", editor, admins=[publisher])
    return Cast(editor, collector, publisher, userbot, destination, canary)
