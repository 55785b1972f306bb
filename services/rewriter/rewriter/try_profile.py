"""Try a profile on a past post. What comes of it is for those who write the profile, and goes nowhere else."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from common.failures import Reject, Skip
from common.planning.deciding import asked_length
from common.spending.calls import Purpose
from common.telegram.markdown_writer import to_markdown
from common.telegram.titles import titled
from common.telegram.utf16 import storable
from rewriter.asking import Asked, Asking
from rewriter.ports import Tries
from rewriter.prompt import Brief

CONSUMER = "rewriter-trials"


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one run. `failure` is why no answer could be used."""

    trial_id: UUID
    number: int
    asked: Asked
    failure: str | None

    def row(self) -> dict[str, Any]:
        """Return the columns of `profile_trial_runs` as JSON values."""
        asked, answer = self.asked, self.asked.answer
        reason = self.failure if asked.refusal is None else asked.refusal
        return {
            "trial_id": str(self.trial_id),
            "number": self.number,
            "status": "succeeded" if reason is None else "refused" if asked.refusal is not None else "failed",
            "reason": None if reason is None else storable(reason),
            "title": answer.title if answer else "",
            "text": asked.body.text,
            "entities": asked.body.to_json().get("entities", []),
            "hashtags": list(answer.hashtags) if answer else [],
            "language": answer.language if answer else "",
            "model": asked.model,
            "calls": asked.calls,
            "prompt_tokens": asked.prompt_tokens,
            "completion_tokens": asked.completion_tokens,
            "cost_usd": round(asked.cost_usd, 6),
            "duration_ms": round(asked.seconds * 1000),
        }


class TryProfile:
    """Does the runs of trials."""

    def __init__(self, tries: Tries, ask: Asking) -> None:
        self._tries = tries
        self._ask = ask

    async def __call__(self, trial_id: UUID, number: int, request: str) -> Tried:
        """Return what the model made of the post with these values, as it would for a route of the post's source.

        What was published lately is not shown to it: that is a route's. Raises Skip where the trial is not there any
        more or the run has ended, and what the model raises except Reject, which is a result here.
        """
        run = await self._tries.trial_run(trial_id, number)
        post = await self._tries.post(run.post_id) if run else None
        if run is None or post is None:
            raise Skip(f"there is no run {number} of a trial {trial_id} any more")
        if run.ended:
            raise Skip(f"run {number} of trial {trial_id} has ended")
        source = await self._tries.source(post.source_id) if post.source_id else None
        material = titled(post.title, post.body.trimmed())
        brief = Brief(
            profile=run.profile,
            markdown=to_markdown(material),
            limit=asked_length(run.profile.max_length, media=bool(post.media)),
            source_title=source.title if source else "",
            url=post.url,
        )
        asked, failure = Asked(model=""), None
        try:
            # No post: what a trial costs is no part of what a post costs.
            await self._ask(brief, material, Purpose(CONSUMER, request, profile_id=run.profile.id), counted=asked)
        except Reject as error:
            failure = str(error)
        return Tried(trial_id, number, asked, failure)
