"""Calls to the X API v2, and what its answers mean: https://docs.x.com/x-api/fundamentals/response-codes-and-errors."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import httpx

from common.sends import Doubtful, Refused, Trouble, Unanswered, Wait
from publisher.accounts import Credentials
from publisher.adapters.calls import Answer, Calls
from publisher.adapters.tokens import NotRenewed, Renew, Renewed, Tokens

# Limits that an answer may tell of; https://docs.x.com/x-api/fundamentals/rate-limits
LIMITS = ("x-rate-limit", "x-user-limit-24hour", "x-app-limit-24hour")
UNKNOWN_WAIT_SECONDS = 60.0  # of a 429 that does not say
LONGEST_WAIT_SECONDS = 24 * 60 * 60.0


class Repeated(Refused):
    """X says that the account has posted this text before."""


class Gone(Refused):
    """X does not have it, or not any more."""


class XCalls:
    """Calls of accounts. `clock` tells Unix seconds."""

    def __init__(self, calls: Calls, tokens: Tokens, clock: Callable[[], float] = time.time) -> None:
        self.tokens = tokens
        self._calls = calls
        self._clock = clock
        self._used_up: dict[tuple[str, str], float] = {}

    def require_place(self, account: str, operation: str) -> None:
        """Raise Wait where the limit of an operation was used up, until X counts anew."""
        if (seconds := self._used_up.get((account, operation), 0.0) - self._clock()) > 0:
            raise Wait(seconds, f"the limit of {operation} for {account} is used up")

    async def ask(
        self, account: str, method: str, path: str, *, operation: str = "", once: bool = False, **content: Any
    ) -> Mapping[str, Any]:
        """Make a call for an account and return the body of its answer.

        Raises Away, Wait, Refused (Repeated and Gone among them) and Trouble; of a call that may be made only `once`
        also Unanswered, and Doubtful.
        """
        operation = operation or f"{method} {path}"
        self.require_place(account, operation)
        token = await self.tokens.of(account)
        answer = await self._calls.ask(method, path, token, once=once, **content)
        if answer.status == 401:
            await self.tokens.not_taken(account, token, _said(answer))
            answer = await self._calls.ask(method, path, await self.tokens.of(account), once=once, **content)
        if answer.status == 401:
            raise Trouble(_said(answer))
        self.tokens.taken(account)
        self._note_limits(account, operation, answer.headers)
        if answer.ok:
            return answer.body
        raise self._problem(answer, once=once)

    def _problem(self, answer: Answer, *, once: bool) -> Exception:
        said = _said(answer)
        if answer.status == 429:
            return Wait(self._seconds(answer.headers), said)
        if answer.of_gateway:
            return Unanswered(said) if once else Trouble(said)
        if answer.status >= 500:
            return Doubtful(said) if once else Trouble(said)
        if answer.status == 403 and "duplicate content" in said.lower():
            return Repeated(said)
        if answer.status in (404, 410):
            return Gone(said)
        return Refused(said) if answer.status >= 400 else Trouble(f"an answer that nobody expected: {said}")

    def _note_limits(self, account: str, operation: str, headers: httpx.Headers) -> None:
        resets = [_number(headers, f"{limit}-reset") for limit in LIMITS if _number(headers, f"{limit}-remaining") == 0]
        if reset := max((reset for reset in resets if reset), default=0):
            self._used_up[account, operation] = min(reset, self._clock() + LONGEST_WAIT_SECONDS)

    def _seconds(self, headers: httpx.Headers) -> float:
        """Return how long a 429 asks to wait."""
        if seconds := _number(headers, "retry-after"):
            return min(LONGEST_WAIT_SECONDS, float(seconds))
        used_up = [limit for limit in LIMITS if _number(headers, f"{limit}-remaining") == 0]
        resets = [_number(headers, f"{limit}-reset") or 0 for limit in used_up or LIMITS[:1]]
        if not (reset := max(resets)):
            return UNKNOWN_WAIT_SECONDS
        return min(LONGEST_WAIT_SECONDS, max(1.0, reset - self._clock()))


def renewing(calls: Calls) -> Renew:
    """Return what renews tokens: https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code."""

    async def renew(credentials: Credentials, refresh_token: str) -> Renewed:
        client, secret = credentials.client_id or "", credentials.client_secret
        form = {"grant_type": "refresh_token", "refresh_token": refresh_token, "client_id": client}
        confidential: dict[str, Any] = {"auth": (client, secret.get_secret_value())} if secret else {}
        answer = await calls.ask("POST", "/2/oauth2/token", None, data=form, **confidential)
        if answer.status in (400, 401, 403):
            raise NotRenewed(f"it is over, and the refresh token is not taken either: {_said(answer)}")
        if not answer.ok or not answer.body.get("access_token"):
            raise Trouble(f"the access token can't be renewed: {_said(answer)}")
        return Renewed(answer.body["access_token"], answer.body.get("refresh_token") or refresh_token)

    return renew


def _said(answer: Answer) -> str:
    """Return what an error says, in the words of its most telling part."""
    body = answer.body
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    told = (
        first.get("message"),
        first.get("detail"),
        body.get("detail"),
        body.get("error_description"),
        body.get("title"),
    )
    said = next((str(each) for each in told if each), "no reason given")
    return f"X: {said[:300]} (HTTP {answer.status})"


def _number(headers: httpx.Headers, name: str) -> int | None:
    value = headers.get(name, "")
    return int(value) if value.isascii() and value.isdigit() and len(value) < 12 else None
