"""Calls to Instagram's Graph API, and what its answers mean.

https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes and
https://developers.facebook.com/docs/graph-api/guides/error-handling
"""

import json
from collections.abc import Mapping
from typing import Any

from common.sends import Doubtful, Refused, Trouble, Unanswered, Wait
from publisher.adapters.calls import Answer, Calls
from publisher.adapters.tokens import Tokens

TOO_MANY = frozenset({4, 17, 32, 613, 80002})  # https://developers.facebook.com/docs/graph-api/overview/rate-limiting
TOKEN = frozenset({102, 104, 190})
PASSING = frozenset({1, 2})
UNKNOWN_WAIT_SECONDS = 300.0  # of a rate limit that does not say


class Failed(Refused):
    """Instagram's own table of errors: by code and subcode."""

    def __init__(self, said: str, code: int, subcode: int) -> None:
        super().__init__(said)
        self.code, self.subcode = code, subcode


class InstagramCalls:
    """Calls of accounts."""

    def __init__(self, calls: Calls, tokens: Tokens) -> None:
        self.tokens = tokens
        self._calls = calls

    def node(self, account: str) -> str:
        """Return the path of an account."""
        return f"/{self.tokens.credentials(account).user_id}"

    async def ask(
        self, account: str, method: str, path: str, *, once: bool = False, **content: Any
    ) -> Mapping[str, Any]:
        """Make a call for an account and return the body of its answer.

        Raises Away, Wait, Failed and Trouble; of a call that may be made only `once` also Unanswered, and Doubtful.
        """
        token = await self.tokens.of(account)
        answer = await self._calls.ask(method, path, token, once=once, **content)
        error = answer.body.get("error")
        error = error if isinstance(error, dict) else {}
        code, subcode = _number(error.get("code")), _number(error.get("error_subcode"))
        said = _said(answer, error)
        if code in TOKEN:
            await self.tokens.not_taken(account, token, said)
            raise Trouble(said)
        if answer.ok or code:
            self.tokens.taken(account)
        if answer.ok and not error:
            return answer.body
        if code in TOO_MANY:
            raise Wait(_seconds(answer), said)
        if answer.of_gateway:
            raise Unanswered(said) if once else Trouble(said)
        if answer.status >= 500 or code in PASSING or not error:
            raise Doubtful(said) if once else Trouble(said)
        raise Failed(said, code, subcode)


def _said(answer: Answer, error: Mapping[str, Any]) -> str:
    told = error.get("error_user_msg") or error.get("message") or "no reason given"
    codes = "/".join(str(error[name]) for name in ("code", "error_subcode") if name in error)
    return f"Instagram: {str(told)[:300]} ({f'code {codes}' if codes else f'HTTP {answer.status}'})"


def _seconds(answer: Answer) -> float:
    """Return how long a rate limit lasts, which is told in minutes."""
    try:
        usage = json.loads(answer.headers.get("x-business-use-case-usage", "{}"))
        minutes = [each["estimated_time_to_regain_access"] for of_one in usage.values() for each in of_one]
        return max(60.0 * max(minutes), 1.0) if any(minutes) else UNKNOWN_WAIT_SECONDS
    except (ValueError, KeyError, TypeError, AttributeError):
        return UNKNOWN_WAIT_SECONDS


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
