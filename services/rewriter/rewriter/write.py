"""Write a post from a brief."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from common.catalog import Profile
from common.events import ContentCreated, Event, ImageRequested, NotifyRequested, derive
from common.failures import Reject, Skip
from common.planning.deciding import asked_length
from common.planning.limits import TELEGRAM_TEXT
from common.spending.calls import Purpose
from common.telegram.markdown_writer import to_markdown
from common.telegram.titles import titled
from rewriter.asking import Asked, Asking
from rewriter.ports import Briefs, Content
from rewriter.prompt import Brief

CONSUMER = "rewriter-contents"
# For a content that names no profile.
PLAIN = Profile(
    id=UUID(int=0),
    name="",
    style="",
    language="",
    max_length=TELEGRAM_TEXT,
    keep=("links", "facts", "quotes"),
    instructions="",
    model="",
)


@dataclass(frozen=True, slots=True)
class WrittenContent:
    """What the model made of a brief: a rewrite of it that belongs to no route."""

    id: UUID
    content: Content
    asked: Asked
    route_id: None = None

    @property
    def post_id(self) -> UUID:
        """The post that the brief is kept as."""
        return self.content.post_id

    @property
    def profile_id(self) -> UUID | None:
        """How it was written; None where the brief named none."""
        return self.content.profile_id

    def events(self) -> Iterator[Event]:
        """Yield what to tell: the content was created, perhaps with a request for its image; or the model refused."""
        if self.asked.refusal is not None:
            yield NotifyRequested(
                kind="rewriter.refused",
                title="The model refused to write a post",
                detail=f"{self.asked.refusal} (content {self.content.id}, model {self.asked.model})",
                fingerprint=f"rewriter.refused/content/{self.content.id}",
                post_id=self.post_id,
            )
            return
        yield ContentCreated(content_id=self.content.id, post_id=self.post_id, rewrite_id=self.id)
        if self.content.illustrate and self.asked.answer:
            prompt = self.asked.answer.image_prompt or None
            yield ImageRequested(post_id=self.post_id, rewrite_id=self.id, prompt=prompt)


class WriteContent:
    """Writes contents."""

    def __init__(self, briefs: Briefs, ask: Asking) -> None:
        self._briefs = briefs
        self._ask = ask

    async def __call__(self, content_id: UUID, request: str) -> WrittenContent:
        """Return what was written. The same `request` always gives the same id.

        Raises Skip where the content was deleted, and Reject where it does not exist, or the model gives no usable
        answer.
        """
        content = await self._briefs.content(content_id)
        if content is None:
            raise Reject(f"there is no content {content_id}")
        if content.deleted:
            raise Skip(f"content {content_id} was deleted")
        post = await self._briefs.post(content.post_id)
        profile = await self._briefs.profile(content.profile_id) if content.profile_id else PLAIN
        if post is None or profile is None:  # both are held by foreign keys
            raise Reject(f"content {content_id} has lost its brief or its profile")
        material = titled(post.title, post.body.trimmed())
        limit = asked_length(profile.max_length, media=content.illustrate)
        brief = Brief(profile=profile, markdown=to_markdown(material), limit=limit, writing=True)
        purpose = Purpose(CONSUMER, request, post.id, profile_id=content.profile_id)
        asked = await self._ask(brief, material, purpose)
        return WrittenContent(derive("rewrite", post.id, "content", request), content, asked)
