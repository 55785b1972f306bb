"""What a person decides about: a post with its text, its pictures and its targets, as one route has it."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from markupsafe import Markup

from api.panel.diff import compared
from api.panel.previews import Preview, Target, preview, targets
from api.panel.prose import prose
from api.resources.inbox import title_of
from api.resources.post_history import Edit, Rewrite, Routing, Scheduled
from api.resources.posts import Post
from common.planning.targets import PLATFORMS, platform_of
from common.telegram.entities import EntityKind
from common.telegram.markdown import from_markdown
from common.telegram.markdown_writer import to_markdown
from common.telegram.text import RichText
from common.telegram.titles import titled

PICTURES = ("photo", "video", "animation")
WAITING = ("hold", "rewrite")
UNWRITTEN = frozenset(
    {EntityKind.UNDERLINE, EntityKind.SPOILER, EntityKind.BLOCKQUOTE, EntityKind.CUSTOM_EMOJI}
)  # marks that markdown has no delimiters for


@dataclass(frozen=True, slots=True)
class Standing:
    """A post on one route. Without a `routing` no route has decided about it."""

    post: Post
    routing: Routing | None
    rewrite: Rewrite | None
    edit: Edit | None
    body: RichText

    @property
    def decision(self) -> str:
        """What was decided, such as hold."""
        return self.routing.decision if self.routing else ""

    @property
    def waits(self) -> bool:
        """Whether it waits for a decision."""
        return self.decision == "hold"

    @property
    def title(self) -> str:
        """What it is called."""
        if self.edit:
            return title_of(self.body.text, self.edit.title)
        return title_of(self.body.text, self.rewrite.title if self.rewrite else "", self.post.title)

    @property
    def original(self) -> RichText:
        """What came in."""
        return titled(self.post.title, RichText(text=self.post.text, entities=tuple(self.post.entities)))

    @property
    def markdown(self) -> str:
        """The text as it is edited."""
        return to_markdown(self.body)

    @property
    def unkept(self) -> bool:
        """Whether an edit would lose marks, or read others than there are."""
        marks = any(each.kind in UNWRITTEN for each in self.body.entities)
        return marks or from_markdown(self.markdown).text != self.body.trimmed().text

    @property
    def image(self) -> str | None:
        """The hash of the first picture that goes out with it."""
        own = [each.hash for each in self.post.media if each.hash and each.kind == "photo"]
        if own or any(each.hash and each.kind in PICTURES for each in self.post.media):
            return own[0] if own else None
        places = {each.place: each.hash for each in self.post.images}
        return places.get("post") or (places.get(f"rewrite/{self.rewrite.id}") if self.rewrite else None)

    @property
    def media(self) -> bool:
        """Whether anything goes out beside the text, so that it is a caption."""
        return bool(self.image or any(each.hash for each in self.post.media))

    @property
    def addresses(self) -> Sequence[str]:
        """Where it goes."""
        planned = [each.target for each in self.plans]
        return list(dict.fromkeys([*(self.routing.targets if self.routing else ()), *planned]))

    @property
    def plans(self) -> Sequence[Scheduled]:
        """What is planned of it, the next one first."""
        planned = [each for each in self.post.scheduled if each.status == "scheduled"]
        return sorted(planned, key=lambda each: each.scheduled_time)

    @property
    def others(self) -> Sequence[Routing]:
        """All that wait for a decision, where that are several."""
        waiting = [each for each in self.post.routings if each.decision in WAITING]
        return waiting if len(waiting) > 1 else ()

    @property
    def times_rewritten(self) -> int:
        """How often a model has written it for this route."""
        route = self.routing.route_id if self.routing else None
        return sum(each.route_id == route and each.status == "succeeded" for each in self.post.rewrites)

    def networks(self) -> Sequence[str]:
        """The platforms that it can be looked at for: its own ones first."""
        own = {platform_of(each) for each in self.addresses}
        return sorted(PLATFORMS, key=lambda name: (name not in own, PLATFORMS.index(name)))

    def columns(self, *, marked: bool) -> tuple[Markup, Markup]:
        """Return original and rewrite as HTML, with what changed marked."""
        if marked:
            return compared(self.original, self.body)
        original = self.original
        return prose(original.text, original.entities), prose(self.body.text, self.body.entities)

    def preview(self, network: str, body: RichText | None = None) -> Preview:
        """Return what a network gets, of another text where one is given."""
        return preview(network, body or self.body, media=self.media)

    def targets(self, body: RichText | None = None) -> Sequence[Target]:
        """Return its targets with what is left of their limits."""
        return targets(self.addresses, body or self.body, media=self.media)


def standing_of(post: Post, route_id: UUID | None = None) -> Standing:
    """Return a post as a route has it: the given one, one that holds it, or the one that decided last."""
    in_order = sorted(post.routings, key=lambda each: (each.decision in WAITING, each.decided_at), reverse=True)
    routing = next((each for each in in_order if each.route_id == route_id), in_order[0] if in_order else None)
    written = [each for each in post.rewrites if each.status == "succeeded"]
    wanted = routing.rewrite_id if routing else None
    rewrite = next((each for each in written if each.id == wanted), written[-1] if written else None)
    edit = _edit(post, rewrite)
    if edit:
        body = RichText(text=edit.text, entities=tuple(edit.entities))
    elif rewrite:
        body = RichText(text=rewrite.text, entities=tuple(rewrite.entities))
    else:
        body = titled(post.title, RichText(text=post.text, entities=tuple(post.entities)))
    return Standing(post, routing, rewrite, edit, body)


def _edit(post: Post, rewrite: Rewrite | None) -> Edit | None:
    """Return what a person wrote in its place: for this rewrite, else for the post whatever rewrite there is."""
    for wanted in (rewrite.id if rewrite else None, None):
        found = [each for each in post.edits if each.rewrite_id == wanted]
        if found:
            return found[-1]
    return None
