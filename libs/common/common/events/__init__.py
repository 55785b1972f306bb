"""The typed events of the system. Facts are named in the past tense, commands end in `.requested`."""

from common.events.collecting import CollectRequested
from common.events.envelope import Emitted, Event, derive, emitted
from common.events.notifying import NotifyRequested
from common.events.posts import PostCollected, PostRewritten
from common.events.publishing import PublishRequested, PublishResult, RequestedMedia, TargetResult

EVENTS: tuple[type[Event], ...] = (
    CollectRequested,
    PostCollected,
    PostRewritten,
    PublishRequested,
    PublishResult,
    NotifyRequested,
)

__all__ = [
    "EVENTS",
    "CollectRequested",
    "Emitted",
    "Event",
    "NotifyRequested",
    "PostCollected",
    "PostRewritten",
    "PublishRequested",
    "PublishResult",
    "RequestedMedia",
    "TargetResult",
    "derive",
    "emitted",
]
