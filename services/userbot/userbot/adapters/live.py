"""Messages that others write in the chats that the account is in."""

from collections.abc import Callable

from telethon import TelegramClient
from telethon.events.newmessage import NewMessage


class LiveMessages:
    """Tells `seen` the chat's marked id and the message's id of every message that is not our own."""

    def __init__(self, seen: Callable[[int, int], None]) -> None:
        self._seen = seen

    def listen(self, client: TelegramClient) -> None:
        """Take the messages of a client; the same client again is no change."""
        if all(callback != self._arrived for callback, _ in client.list_event_handlers()):
            client.add_event_handler(self._arrived, NewMessage(incoming=True))

    async def _arrived(self, event: NewMessage.Event) -> None:
        if event.chat_id is not None:
            self._seen(event.chat_id, event.id)
