"""What the errors of the endpoint mean: https://platform.openai.com/docs/guides/error-codes."""

import random
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from json import JSONDecodeError
from typing import Literal, TypeAlias

from openai import APIConnectionError, APIError, APIStatusError, APITimeoutError

from common.events import NotifyRequested
from common.failures import Reject, Retry

ModelError: TypeAlias = APIError | TimeoutError | JSONDecodeError | UnicodeDecodeError

RATE_PAUSE_SECONDS = 10.0  # where a 429 does not say how long
PERSON_PAUSE_SECONDS = 300.0  # until somebody may have put a key, a model's name or a budget right
JITTER = 0.1

MEANT_FOR_PEOPLE = {
    401: ("unauthorised", "The model's endpoint does not accept OPENAI_API_KEY"),
    403: ("forbidden", "The model's endpoint does not let OPENAI_API_KEY use the model"),
    404: ("not_found", "The model, or its endpoint, does not exist"),
}

USED_UP = ("insufficient_quota", "billing_hard_limit_reached")  # the latter: of images, with a 400
REFUSALS = ("content_filter", "content_policy_violation", "moderation_blocked")  # the last two: of images


class RateLimited(Retry):
    """The endpoint asks for fewer calls."""


class ModelUnavailable(Exception):
    """The model gave no answer that can be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Troubles:
    """Tells what an error means to a service, whose name begins the kind of what people are told.

    `work` is what pauses meanwhile ("rewriting"), `answer` what is expected of the endpoint ("a chat completion").
    """

    service: str
    work: str
    answer: str

    def failure_of(self, error: ModelError, model: str, timeout: float) -> Retry | Reject | ModelUnavailable:
        """Return the failure that says what happens next. `timeout` is in seconds."""
        if isinstance(error, TimeoutError | APITimeoutError):
            return ModelUnavailable(f"the model gave no answer within {timeout:g} s")
        if isinstance(error, APIConnectionError):
            return ModelUnavailable(f"the model's endpoint could not be reached: {error.__cause__ or error.message}")
        if not isinstance(error, APIStatusError):
            return ModelUnavailable(f"the model's endpoint answered something else than {self.answer}: {error}")
        said = f"{error.message} (HTTP {error.status_code})"
        if error.code in USED_UP:
            title = "The budget of the model's account is used up"
            return self._passing(error, PERSON_PAUSE_SECONDS, "no_quota", "error", title)
        if error.status_code == 429:
            title = f"The rate limit of {model} is reached"
            passing = self._passing(error, pause_of(error), "rate_limited", "warning", title)
            return RateLimited(passing.after, str(passing), passing.notice)
        if found := MEANT_FOR_PEOPLE.get(error.status_code):
            return self._passing(error, PERSON_PAUSE_SECONDS, found[0], "error", found[1])
        if error.code == "context_length_exceeded" or error.status_code == 413:
            return Reject(f"the post is too long for {model}: {said}")
        if error.status_code >= 500 or error.status_code in (408, 409, 425):
            return ModelUnavailable(f"the model's endpoint failed: {said}")
        return Reject(f"the model's endpoint does not take this request: {said}")

    def _passing(
        self, error: APIStatusError, pause: float, kind: str, severity: Literal["warning", "error"], title: str
    ) -> Retry:
        """Return the Retry for what is no fault of the post, and what people are told of it."""
        notice = NotifyRequested(
            kind=f"{self.service}.{kind}",
            severity=severity,
            title=title,
            detail=f"{error.message} (HTTP {error.status_code}); {self.work} pauses for {pause:.0f} s",
            fingerprint=f"{self.service}.{kind}",
        )
        return Retry(pause * (1 + random.uniform(0, JITTER)), f"{title}: {error.message}", notice)


def refusal_of(error: ModelError) -> str | None:
    """Return why the endpoint would not let the model answer, where that is what the error says.

    Azure tells of its content filter by a 400: https://learn.microsoft.com/azure/ai-services/openai/concepts/content-filter
    """
    if isinstance(error, APIStatusError) and error.code in REFUSALS:
        return error.message
    return None


def pause_of(error: APIStatusError) -> float:
    """Return the seconds that a 429 asks for, by `retry-after-ms` or `retry-after`, or else a few."""
    headers = error.response.headers
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        try:
            return max(0.0, float(headers[name]) / unit)
        except (KeyError, ValueError):
            continue
    try:
        return max(0.0, parsedate_to_datetime(headers["retry-after"]).timestamp() - time.time())
    except (KeyError, ValueError, TypeError):
        return RATE_PAUSE_SECONDS
