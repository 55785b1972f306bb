"""The typed events of the system. Facts are named in the past tense, commands end in `.requested`."""

from common.events.broadcasting import BroadcastRequested, BroadcastResult
from common.events.collecting import CheckRequested, CollectRequested
from common.events.contents import ContentCreated, ContentRequested
from common.events.envelope import Emitted, Event, derive, emitted
from common.events.media import ImageFailed, ImageGenerated, ImageRequested, MediaRequested
from common.events.notifying import NotifyRequested
from common.events.posts import PostCollected, PostRewritten, RewriteRequested
from common.events.publishing import PublishRequested, PublishResult, RequestedMedia, TargetResult
from common.events.trials import TrialRequested

EVENTS: tuple[type[Event], ...] = (
    CollectRequested,
    MediaRequested,
    CheckRequested,
    PostCollected,
    PostRewritten,
    RewriteRequested,
    ContentRequested,
    ContentCreated,
    TrialRequested,
    ImageRequested,
    ImageGenerated,
    ImageFailed,
    PublishRequested,
    PublishResult,
    BroadcastRequested,
    BroadcastResult,
    NotifyRequested,
)

__all__ = [
    "EVENTS",
    "BroadcastRequested",
    "BroadcastResult",
    "CheckRequested",
    "CollectRequested",
    "ContentCreated",
    "ContentRequested",
    "Emitted",
    "Event",
    "ImageFailed",
    "ImageGenerated",
    "ImageRequested",
    "MediaRequested",
    "NotifyRequested",
    "PostCollected",
    "PostRewritten",
    "PublishRequested",
    "PublishResult",
    "RequestedMedia",
    "RewriteRequested",
    "TargetResult",
    "TrialRequested",
    "derive",
    "emitted",
]
