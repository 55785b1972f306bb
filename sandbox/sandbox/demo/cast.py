"""Who is in the sandbox's Telegram, and which chats the product works on."""

from dataclasses import dataclass, field

from sandbox.telegram.chats import Chat
from sandbox.telegram.people import User
from sandbox.telegram.world import World


@dataclass(frozen=True, slots=True)
class Cast:
    """The accounts that services sign in with (a collector's user and a publisher's bot), and the chats."""

    editor: User
    collector: User
    publisher: User
    destination: Chat
    sources: list[Chat] = field(default_factory=list)


def assemble(world: World) -> Cast:
    """Make the accounts and the destination, or find those of an earlier run."""
    editor = world.add_user("Newsroom editor", phone="+99966 1 0001")
    collector = world.add_user("collector", phone="+99966 1 0002", username="postroom_collector")
    publisher = world.add_bot("publisher", "postroom_publisher_bot")
    destination = world.add_channel("Postroom Demo", "postroom_demo", editor, members=[collector], admins=[publisher])
    return Cast(editor, collector, publisher, destination)
