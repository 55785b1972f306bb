"""Live messages of the chats that the account is in."""

from uuid import UUID

from telethon import TelegramClient, utils
from telethon.events.raw import Raw
from telethon.tl.types import UpdateNewChannelMessage, UpdateNewMessage

from collector.nudges import Nudges
from common.catalog import Source
from common.telegram.peers import Peer


class LiveMessages:
    """Nudges the source that a message arrived in. It knows the sources that were read since the start."""

    def __init__(self, nudges: Nudges) -> None:
        self._nudges = nudges
        self._sources: dict[int, UUID] = {}  # by marked id of the chat

    def watch(self, peer: Peer, source: Source) -> None:
        """Nudge this source when a message arrives in this chat."""
        self._sources[peer.marked_id] = source.id

    def listen(self, client: TelegramClient) -> None:
        """Take the updates of a client; the same client again is no change."""
        if all(callback != self._arrived for callback, _ in client.list_event_handlers()):
            client.add_event_handler(self._arrived, Raw((UpdateNewChannelMessage, UpdateNewMessage)))

    async def _arrived(self, update: UpdateNewChannelMessage | UpdateNewMessage) -> None:
        peer = update.message.peer_id
        if peer is not None and (source_id := self._sources.get(utils.get_peer_id(peer))):
            self._nudges.live(source_id, update.message.id)
