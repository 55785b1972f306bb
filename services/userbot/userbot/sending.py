"""Sending a task to its chats, to each once, however often that takes."""

import asyncio
import logging
import time
from typing import Literal

from common.sends import Away, Doubtful, Inconclusive, Refused, SentBefore, Trouble, Unanswered, Wait
from common.telegram.addresses import NoAddress, checked
from userbot.outcomes import refusal, success
from userbot.ports import ContentMissing, ContentRefused, Moved, Place, Platform, SlowMode, SpamBlocked
from userbot.store import Leave, Result, Store
from userbot.task import AccountStopped, Chat, Failed, Material, Parked, Task
from userbot.trying import Trying

log = logging.getLogger(__name__)

REPEAT_SECONDS, REPEAT_CAP_SECONDS = 0.25, 10.0  # before a send that was not answered is repeated; doubles each time
LAST_LOOK_SECONDS = 5.0  # for a look whether what is in doubt arrived, before its task ends


class Sending:
    """Sends one task. `met` are the chats that are through, by what they are."""

    def __init__(self, task: Task, material: Material, store: Store, platform: Platform, trying: Trying) -> None:
        self.met: dict[int, str] = {}
        self._task = task
        self._material = material
        self._store = store
        self._platform = platform
        self._trying = trying
        self._rules = trying.rules

    async def settle(self, chat: Chat) -> bool:
        """Send to a chat until it is known how it ended; False where it is to come again, from `due` on.

        Raises BrokenOff in its kinds.
        """
        try:
            place = await self._place(chat)
            while place and not chat.ended:
                if chat.doubtful and chat.doubt_of != self._store.account:
                    await self._end(chat, place, Result("unknown", f"{chat.doubt_of} may have sent it"))
                elif chat.in_fog:
                    await self._look_for(chat, place, f"no answer within {self._rules.unknown_after:g} s")
                elif not chat.doubtful and (same := self.met.get(place.id)):
                    await self._end(chat, place, Result("skipped", f"the same chat as {same}"))
                elif leave := await self._leave(chat, place):
                    place = await self._once(chat, place, leave)
        except SlowMode as wait:
            chat.due = time.monotonic() + wait.seconds
            return False
        except Away as away:
            raise Parked(str(away)) from None
        except SpamBlocked as blocked:
            raise AccountStopped(str(blocked)) from None
        return True

    async def find_before_end(self, chat: Chat) -> None:
        """Look once for what is in doubt, because the task ends now; whatever goes wrong, it stays in doubt."""
        try:
            async with asyncio.timeout(LAST_LOOK_SECONDS):
                place = await self._platform.place(chat.address)
                if ids := await self._trying.find(chat, place):
                    await self._end(chat, place, success(chat, place, ids))
        except (Refused, Inconclusive, Wait, Away, Trouble, Unanswered, SpamBlocked, TimeoutError) as error:
            log.warning("task %s, %s: not known whether it was sent: %s", self._task.id, chat.address, error)

    async def _place(self, chat: Chat) -> Place | None:
        """Return what a chat is; None where it ended because that can't be told."""
        problem: Exception
        while True:
            try:
                checked(chat.address)
                if not self._platform.knows(chat.address):
                    await self._trying.allowed(chat, None, write=False)
                return await self._platform.place(chat.address)
            except Wait as wait:
                await self._trying.block(wait)
                continue
            except (Trouble, Unanswered) as error:
                chat.troubles += 1
                problem = error
                if chat.troubles < self._rules.queue.settings.max_attempts:
                    await self._trying.idle(self._rules.queue.backoff(chat.troubles))
                    continue
            except (Refused, NoAddress) as error:
                problem = error
            result = Result("unknown", str(problem)) if chat.doubtful else refusal(problem, pause=self._rules.pause())
            await self._end(chat, None, result)
            return None

    async def _leave(self, chat: Chat, place: Place) -> Leave | None:
        """Return the leave to send to a chat, when its time has come; None where it ended without a send."""
        leave = await self._trying.allowed(chat, place, write=True)
        if leave.verdict == "go":
            return leave
        if leave.verdict == "disabled":
            await self._end(chat, place, Result("skipped", "the chat is disabled"))
        if leave.verdict == "quiet":
            why = f"others wrote {leave.written} messages since our last post, and it asks for {leave.asked}"
            await self._end(chat, place, Result("skipped", why))
        return None

    async def _once(self, chat: Chat, place: Place, leave: Leave) -> Place:
        """Make the try that was written down, record what came of it, and return where the chat is from now on.

        Raises SlowMode, SpamBlocked, Away, ContentMissing, Failed.
        """
        try:
            ids = await self._trying.send(chat, place, leave)
        except Moved as moved:
            await self._trying.record(chat, place, Result("retry", str(moved)))
            return moved.place
        except SlowMode as wait:
            await self._trying.record(chat, place, Result("retry", str(wait), pause=self._rules.pause()))
            raise
        except Wait as wait:
            await self._trying.record(chat, place, Result("retry", str(wait), pause=wait.seconds))
            self._trying.waiting.tell(wait.seconds, str(wait))
        except (SpamBlocked, Away, ContentMissing) as obstacle:
            await self._trying.record(chat, place, Result("retry", str(obstacle)))
            raise
        except ContentRefused as error:
            await self._trying.record(chat, place, Result("retry", str(error)))
            raise Failed(f"{chat.address}: {error}") from None
        except (Unanswered, Doubtful) as error:
            self._trying.doubt(chat, leave)
            await self._trying.record(chat, place, Result("sending", str(error)))
            await self._again(chat, place, error)
        except Trouble as error:
            await self._trying.record(chat, place, Result("retry", str(error)))
            await self._again(chat, place, error)
        except SentBefore as error:
            self._trying.doubt(chat, leave)
            await self._look_for(chat, place, str(error), otherwise="sent")
        except Refused as error:
            if chat.doubtful:
                await self._look_for(chat, place, str(error), refused=error)
            else:
                await self._refuse(chat, place, error)
        else:
            await self._end(chat, place, success(chat, place, ids, pause=self._rules.pause()))
        return place

    async def _again(self, chat: Chat, place: Place, error: Exception) -> None:
        """Let some time pass before the next try; after too many troubles there is none."""
        if isinstance(error, Unanswered):
            await self._trying.idle(min(REPEAT_CAP_SECONDS, REPEAT_SECONDS * 2**chat.repeats))
            chat.repeats += 1
            return await self._trying.ready()
        chat.troubles += 1
        if chat.troubles < self._rules.queue.settings.max_attempts:
            await self._trying.idle(self._rules.queue.backoff(chat.troubles))
        elif chat.doubtful:
            await self._look_for(chat, place, str(error), refused=error)
        else:
            await self._refuse(chat, place, error)
        return None

    async def _refuse(self, chat: Chat, place: Place, error: Exception) -> None:
        await self._end(chat, place, refusal(error, pause=self._rules.pause()))

    async def _look_for(
        self,
        chat: Chat,
        place: Place,
        problem: str,
        *,
        otherwise: Literal["unknown", "sent"] = "unknown",
        refused: Exception | None = None,
    ) -> None:
        """Look whether a send arrived of which that is not known, and end it either way.

        With `refused`, a later try was: so it is where the earlier one is not found.
        """
        pause = self._rules.pause()
        try:
            ids = await self._trying.found(chat, place)
        except (Refused, Inconclusive) as error:
            return await self._end(chat, place, Result(otherwise, f"{problem}; looking for it: {error}", pause=pause))
        if ids:
            return await self._end(chat, place, success(chat, place, ids, pause=pause))
        if refused:
            return await self._refuse(chat, place, refused)
        return await self._end(chat, place, Result(otherwise, f"{problem}, and it is not found there", pause=pause))

    async def _end(self, chat: Chat, place: Place | None, result: Result) -> None:
        await self._trying.record(chat, place, result)
        if place:
            self.met.setdefault(place.id, chat.address)
