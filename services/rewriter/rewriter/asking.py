"""Ask the model for one rewrite, until its answer can be used."""

import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from common.catalog import Profile
from common.failures import Reject
from common.spending.calls import Purpose
from common.telegram.markdown import from_markdown
from common.telegram.text import RichText
from rewriter.answer import Answer, InvalidAnswer, read_answer
from rewriter.keeping import fitted, kept_links, missing_figures, missing_links
from rewriter.ports import Model, Question, Reply
from rewriter.prompt import Brief, messages

log = logging.getLogger(__name__)

TRIES = 3
CUT_OFF_TRIES = 2


@dataclass(slots=True)
class Asked:
    """What came of asking, and what it took. `refusal` is the model's reason where there is no answer."""

    model: str
    profile_version: int | None = None  # of the profile that said how; None: nothing was asked, or a draft said it
    remark: str = ""  # of the person who asked for another one
    body: RichText = field(default_factory=RichText)
    answer: Answer | None = None
    refusal: str | None = None
    request: dict[str, Any] = field(default_factory=dict)
    reply: dict[str, Any] = field(default_factory=dict)
    rejected: list[dict[str, str]] = field(default_factory=list)
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost_usd: float = 0.0
    seconds: float = 0.0
    calls: int = 0

    def count(self, question: Question, reply: Reply) -> None:
        """Add one call; what is kept of request and answer is the last one's, and why earlier ones were no use."""
        self.model = reply.model
        self.calls += 1
        self.request = {"messages": [{"role": role, "content": content} for role, content in question.messages]}
        self.reply = {"content": reply.content, "finish_reason": reply.finish_reason}
        self.prompt_tokens += reply.prompt_tokens
        self.completion_tokens += reply.completion_tokens
        self.cost_usd += reply.cost_usd


class Asking:
    """Asks a model up to three times, telling it what was wrong with its previous answer."""

    def __init__(self, model: Model, default_model: str) -> None:
        self._model = model
        self._default_model = default_model

    async def allowed(self, profile: Profile, purpose: Purpose) -> None:
        """Raise Retry where a budget that is used up allows no question."""
        await self._model.allowed(purpose, profile.model or self._default_model)

    async def __call__(self, brief: Brief, post: RichText, purpose: Purpose, *, counted: Asked | None = None) -> Asked:
        """Return what the model made of `post`, cut to the brief's limit; or its refusal.

        Where `counted` is given it is what is returned, and says also after an error what was asked and what it took.

        Addresses that it has lost in its last answer too are put at the end of the text. Raises Reject where even the
        last answer can't be used or the limit of tokens cut off a second one, and what the model raises.
        """
        model = brief.profile.model or self._default_model
        asked = counted or Asked(model)
        asked.model, asked.profile_version = model, brief.profile.version
        started = time.monotonic()
        complaint: str | None = None
        cut_off = 0
        for number in range(1, TRIES + 1):
            question = Question(model, messages(brief, complaint), purpose)
            reply = await self._model.ask(question)
            asked.count(question, reply)
            asked.seconds = time.monotonic() - started
            if reply.refusal is not None:
                asked.refusal = reply.refusal
                return asked
            cut_off += reply.finish_reason == "length"
            if cut_off == CUT_OFF_TRIES:  # it was told to be brief: a third try would be cut off too
                where = f"{asked.model}, {reply.completion_tokens} tokens"
                raise Reject(f"the model's answer was cut off at the limit of tokens, {cut_off} times ({where})")
            complaint = self._taken(asked, reply, brief, post, last=number == TRIES)
            if complaint is None:
                return asked
            asked.rejected.append({"content": reply.content, "reason": complaint})
            log.warning("%s: answer %d of %d was not accepted: %s", purpose.post_id, number, TRIES, complaint)
        raise Reject(f"the model's answer could not be used, {TRIES} times; the last time {complaint}")

    @staticmethod
    def _taken(asked: Asked, reply: Reply, brief: Brief, post: RichText, *, last: bool) -> str | None:
        """Take an answer, or return what is wrong with it."""
        try:
            answer = read_answer(reply)
        except InvalidAnswer as error:
            return str(error)
        body = from_markdown(answer.text)
        if lost := list(losses(brief, post, body, links=not last)):
            return "; ".join(lost)
        asked.answer = answer
        asked.body = fitted(body, brief.limit, kept_links(post) if "links" in brief.profile.keep else ())
        return None


def losses(brief: Brief, post: RichText, body: RichText, *, links: bool) -> Iterator[str]:
    """Yield what `body` lacks of what its profile wants kept; figures only where the post need not be shortened."""
    keep = brief.profile.keep
    if links and "links" in keep and (lost := missing_links(kept_links(post), body)):
        yield f"it lost these links: {' '.join(lost)}"
    if "facts" in keep and post.utf16_length <= brief.limit and (lost := missing_figures(post, body)):
        yield f"it lost these figures: {', '.join(lost)}"
