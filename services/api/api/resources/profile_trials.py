"""Trials: a profile tried on past posts, as it is, as it was, or as it might be. Nothing of it is published."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from api.http.calls import CONSUMER, Call, Calling
from api.http.paging import Page, Paged
from api.http.problems import Problem
from api.http.routes import resource
from api.http.values import INT4, Answer, Given, Utc, merged
from api.resources.profiles import NewProfile, ProfileChange, read_profile
from common.telegram.entities import Entity
from common.trials import MOST_POSTS, NotTriable, Trials, Wanted, statements

router = resource("profiles")

MOST_VERSIONS = 3


class NewTrial(Given):
    """What is to be tried, and on which posts."""

    post_ids: Annotated[list[UUID], Field(max_length=MOST_POSTS)] = Field(
        default=[], description="on these; left out: the newest of `source_id`"
    )
    source_id: UUID | None = None
    last: int = Field(default=MOST_POSTS, ge=1, le=MOST_POSTS, description="how many posts of the source")
    versions: Annotated[list[Annotated[int, Field(ge=1, le=INT4)]], Field(max_length=MOST_VERSIONS)] | None = Field(
        default=None, description="left out: the current one; an empty list: only the draft"
    )
    draft: ProfileChange | None = Field(
        default=None, description="values that are not saved; what they leave out is as the profile says"
    )


class TrialRun(Answer):
    """A version of a profile, or its draft, on one post, and what came of it."""

    number: int
    post_id: UUID
    post_title: str
    post_text: str
    post_entities: list[Entity]
    version: int | None = Field(description="null: the draft")
    status: Literal["requested", "succeeded", "refused", "failed"]
    reason: str | None = Field(description="why it was refused or failed; of one that is requested, why it waits")
    title: str
    text: str
    entities: list[Entity]
    hashtags: list[str]
    language: str
    model: str
    calls: int = Field(description="of the model: more than one where an answer was of no use")
    prompt_tokens: int
    completion_tokens: int
    cost_usd: float
    seconds: float
    ended_at: Utc | None


class TrialDraft(Answer):
    """What a draft says, all of it."""

    name: str
    style: str
    language: str
    max_length: int
    keep: list[str]
    instructions: str
    model: str


class Trial(Answer):
    """A trial with its runs, post by post."""

    id: UUID
    profile_id: UUID
    draft: TrialDraft | None
    created_by: str
    created_at: Utc
    runs: list[TrialRun]


class TrialSummary(Answer):
    """A trial in a list."""

    id: UUID
    draft: TrialDraft | None
    created_by: str
    created_at: Utc
    posts: int
    runs: int
    cost_usd: float


@router.post("/{profile_id}/trials", status_code=202)
async def try_profile(profile_id: UUID, given: NewTrial, call: Calling) -> Trial:
    """Have posts rewritten by versions of a profile, or a draft of it, to look at. It costs what rewrites cost."""
    profile = await read_profile(call, profile_id)
    if bool(given.post_ids) == bool(given.source_id):
        raise _invalid("post_ids", "it needs post_ids or source_id, and not both")
    versions = [profile.version] if given.versions is None else list(dict.fromkeys(given.versions))
    if not versions and given.draft is None:
        raise _invalid("versions", "there is nothing to try: it needs a version or a draft")
    draft = merged(NewProfile, profile, given.draft).model_dump() if given.draft else None
    trials = _trials(call)
    posts = list(dict.fromkeys(given.post_ids))
    if given.source_id:
        posts = await trials.latest_posts(given.source_id, given.last)
    try:
        trial_id = await trials.request(Wanted(profile_id, versions, draft, posts), by=call.actor)
    except NotTriable as error:
        raise _invalid(error.field, str(error)) from None
    call.created(trial_id)
    return await get_trial(profile_id, trial_id, call)


@router.get("/{profile_id}/trials")
async def list_trials(profile_id: UUID, page: Paged) -> Page[TrialSummary]:
    """List the trials of a profile."""
    return await page.of(TrialSummary, statements()["list"], profile_id)


@router.get("/{profile_id}/trials/{trial_id}")
async def get_trial(profile_id: UUID, trial_id: UUID, call: Calling) -> Trial:
    """Read a trial: what came of it so far."""
    trial = await _trials(call).get(profile_id, trial_id)
    return call.tagged(Trial.model_validate(trial, from_attributes=True))


def _trials(call: Call) -> Trials:
    return Trials(call.database, call.rails, consumer=CONSUMER)


def _invalid(field: str, detail: str) -> Problem:
    return Problem("invalid", detail, errors=[{"in": "body", "pointer": f"/{field}", "detail": detail}])
