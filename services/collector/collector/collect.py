"""Collecting: reads what is new in a source and brings it in.

Runs of one source may overlap and lose nothing: a run starts from a place that was committed, everything up to its own
place is brought and emitted before that place is committed, and the place never goes backwards. They double nothing
either: posts and their events have ids of their own, and so has the continuation from a place. A post with media goes
on when these were fetched (`fetch_media`).
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from collector.ports import Page, PostRecords, SourceReader, Sources, SourceState, SourceUnreadable, States
from common.catalog import Source
from common.events import CollectRequested, Event, MediaRequested, NotifyRequested, PostCollected
from common.failures import Skip
from common.posts import Brought

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Collected:
    """What a run gave: events to emit, and either the place it read up to or the error that it ended with."""

    source: Source
    events: list[Event] = field(default_factory=list)
    page: Page | None = None
    error: str | None = None
    brought: list[Brought] = field(default_factory=list)


class CollectSource:
    """The use case. `readers` are by kind of source."""

    def __init__(
        self, sources: Sources, states: States, posts: PostRecords, readers: Mapping[str, SourceReader]
    ) -> None:
        self._sources = sources
        self._states = states
        self._posts = posts
        self._readers = readers

    async def __call__(self, source_id: UUID, *, trace_id: str | None = None) -> Collected:
        """Read a source. Raises Skip where there is nothing to read, and what its reader raises to be tried again."""
        source = await self._sources.source(source_id)
        if source is None or not source.enabled:
            raise Skip("the source was deleted" if source is None else "the source is switched off")
        reader = self._readers.get(source.kind)
        if reader is None:
            raise Skip(f"sources of the kind {source.kind} are not collected")
        state = await self._states.of(source_id)
        try:
            page = await reader.read(source, state)
        except SourceUnreadable as error:
            return _unreadable(source, state, str(error))
        brought = await self._posts.add(page.posts, trace_id=trace_id) if page.posts else []
        return Collected(source, _events(source, page, brought), page, brought=brought)


def _events(source: Source, page: Page, brought: list[Brought]) -> list[Event]:
    """Also for posts that were there before: an earlier run may have died between bringing and telling."""
    with_media = {post.id for post in page.posts if post.media}
    events: list[Event] = [
        MediaRequested(post_id=each.post_id, source_id=source.id)
        if each.post_id in with_media
        else PostCollected(post_id=each.post_id, source_id=source.id)
        for each in brought
        if each.duplicate_of is None
    ]
    if page.refused:
        kind = "collector.content_refused"
        events.append(_notice(source, kind, "; ".join(page.refused), fingerprint=f"{kind}/{source.id}"))
    if page.more:
        events.append(CollectRequested(source_id=source.id, reason="continued", after=page.last_message_id))
    return events


def _unreadable(source: Source, state: SourceState, error: str) -> Collected:
    """People are told once, until the reason's class changes or the source was read again."""
    log.warning("source %s can't be read: %s", source.address, error, extra={"source_id": str(source.id)})
    events: list[Event] = []
    if state.last_error is None or class_of(state.last_error) != class_of(error):
        kind = "collector.source_unreadable"
        events.append(_notice(source, kind, error, fingerprint=f"{kind}/{source.id}/{class_of(error)}"))
    return Collected(source, events, error=error)


def class_of(reason: str) -> str:
    """Return what a reason begins with, such as `HTTP 404` or `CHANNEL_PRIVATE`: what follows the colon varies."""
    return reason.partition(":")[0]


def _notice(source: Source, kind: str, detail: str, *, fingerprint: str) -> NotifyRequested:
    return NotifyRequested(
        kind=kind,
        severity="warning",
        title=f"{source.title or source.address}: {detail}"[:200],
        detail=f"Source {source.address} ({source.id}): {detail}",
        fingerprint=fingerprint,
    )
