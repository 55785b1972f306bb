"""What an administrator is told when a broadcast has ended."""

from common.events import BroadcastResult, NotifyRequested
from userbot.ports import NotTold, Teller

ERROR_CHARACTERS = 1000  # of an error of any length; a message takes 4,096
ENDED = {"done": "Broadcast done", "failed": "Broadcast failed", "cancelled": "Broadcast cancelled"}


async def summarise(event: BroadcastResult, event_id: str, teller: Teller | None) -> list[NotifyRequested]:
    """Tell of a broadcast; where it can't be told, the panel's notifications say so instead. Nobody to tell is fine."""
    if teller is None:
        return []
    try:
        await teller.tell(summary(event), once=event_id)
    except NotTold as error:
        return [
            NotifyRequested(
                kind="userbot.summary_not_sent",
                severity="warning",
                title=f"The summary of a broadcast could not be sent: {error}"[:200],
                detail=f"{error}. {summary(event)}",
                fingerprint="userbot.summary_not_sent",
                post_id=event.post_id,
            )
        ]
    return []


def summary(event: BroadcastResult) -> str:
    """Return the text."""
    counts = [f"{event.sent_count} sent", f"{event.error_count} {'error' if event.error_count == 1 else 'errors'}"]
    if event.skipped_count:
        counts.append(f"{event.skipped_count} skipped")
    lines = [f"{ENDED[event.status]}: {', '.join(counts)}."]
    if event.last_error:
        lines.append(f"Last error: {event.last_error[:ERROR_CHARACTERS]}")
    lines.append(f"Account {event.account or '–'}, broadcast {event.task_id}")
    if event.post_id:
        lines.append(f"Post {event.post_id}")
    return "\n".join(lines)
