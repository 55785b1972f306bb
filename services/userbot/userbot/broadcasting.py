"""Carrying out one task: chat after chat, from where the last holder had come."""

import time
from collections import deque
from collections.abc import Callable

from userbot.ports import Platform
from userbot.prepare import Preparation
from userbot.sending import Sending
from userbot.store import Store
from userbot.task import Cancelled, Chat, Material, Task
from userbot.trying import Trying


class Broadcasting:
    """Carries out tasks."""

    def __init__(
        self,
        store: Store,
        platform: Platform,
        preparation: Preparation,
        trying: Callable[[Task, Material], Trying],
    ) -> None:
        self._store = store
        self._platform = platform
        self._preparation = preparation
        self._trying = trying

    async def carry_out(self, task: Task) -> None:
        """Send to all chats of a task that are not through yet; those in slow mode come again at the end.

        Raises BrokenOff in its kinds.
        """
        material = await self._preparation.prepare(task)
        trying = self._trying(task, material)
        sending = Sending(task, material, self._store, self._platform, trying)
        chats = await self._store.progress(task)
        sending.met = {chat.peer_id: chat.address for chat in chats if chat.ended and chat.peer_id is not None}
        left = deque(chat for chat in chats if not chat.ended)
        await self._platform.recall([chat.address for chat in left])
        while left:
            chat = _next(left)
            await trying.idle(chat.due - time.monotonic())
            try:
                if not await sending.settle(chat):
                    left.append(chat)
            except Cancelled:
                if chat.doubtful:
                    await sending.find_before_end(chat)
                raise


def _next(left: deque[Chat]) -> Chat:
    """Take out the first chat that may be tried now, or else the one that may be first."""
    now = time.monotonic()
    chat = next((chat for chat in left if chat.due <= now), None) or min(left, key=lambda chat: chat.due)
    left.remove(chat)
    return chat
