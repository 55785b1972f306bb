"""What is recorded of a send."""

from common.telegram.addresses import is_id
from userbot.ports import ChatRefused, Place
from userbot.store import Result
from userbot.task import Chat


def success(chat: Chat, place: Place, message_ids: tuple[int, ...], *, pause: float = 0.0) -> Result:
    """Return that it was sent; a group that goes by an id which is no longer its own is flagged."""
    if is_id(chat.address) and int(chat.address) != place.id:
        return Result("sent", f"the group became {place.id}", message_ids, flag="migrated", pause=pause)
    return Result("sent", None, message_ids, pause=pause)


def refusal(error: Exception, *, pause: float) -> Result:
    """Return that it was refused, with what stands in the way where that lies in the chat."""
    return Result("refused", str(error), flag=error.flag if isinstance(error, ChatRefused) else None, pause=pause)
