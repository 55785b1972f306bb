"""How often X may be called: windows per user and operation, told in the headers of every answer.

https://docs.x.com/x-api/fundamentals/rate-limits; the 300 posts in three hours are those of
https://docs.x.com/x-api/posts/manage-tweets/introduction.
"""

import math
from collections.abc import Callable

from sandbox.records import Records
from sandbox.x.archive import Account
from sandbox.x.errors import too_many

QUARTER_SECONDS = 15 * 60
# By operation, as faults name it; what is not here is not counted.
PER_QUARTER = {
    "/2/tweets": 200,
    "DELETE /2/tweets/{id}": 50,
    "/2/tweets/{id}": 900,
    "/2/users/me": 75,
    "/2/users/{id}/tweets": 900,
    "/2/media/upload": 500,
    "/2/media/upload/initialize": 1875,
    "/2/media/upload/{id}/append": 1875,
    "/2/media/upload/{id}/finalize": 1875,
}


class Windows:
    """Counts calls in fixed windows, each of which begins with its first call.

    `posts` in `posts_seconds` is what the account may post; None switches all limits off.
    """

    def __init__(self, records: Records, clock: Callable[[], float], posts: int | None, posts_seconds: int) -> None:
        self._records = records
        self._clock = clock
        self._posts = posts
        self._posts_seconds = posts_seconds

    def count(self, account: Account, operation: str) -> dict[str, str]:
        """Count a call and return the headers that tell of the narrowest window; raises the 429 if one is used up."""
        if self._posts is None or operation not in PER_QUARTER:
            return {}
        limits = [(PER_QUARTER[operation], QUARTER_SECONDS)]
        if operation == "/2/tweets":
            limits.append((self._posts, self._posts_seconds))
        now = self._clock()
        windows = [(*self._window(account, operation, seconds, now), limit, seconds) for limit, seconds in limits]
        for started, used, limit, seconds in windows:
            if used >= limit:
                raise too_many(limit, math.ceil(started + seconds))
        for started, used, _, seconds in windows:
            self._records.write("window_put", account.id, operation, seconds, started, used + 1)
        self._records.commit()
        started, used, limit, seconds = min(windows, key=lambda window: window[2] - window[1])
        return {
            "x-rate-limit-limit": str(limit),
            "x-rate-limit-remaining": str(limit - used - 1),
            "x-rate-limit-reset": str(math.ceil(started + seconds)),
        }

    def _window(self, account: Account, operation: str, seconds: int, now: float) -> tuple[float, int]:
        row = self._records.row("window_get", account.id, operation, seconds)
        return (row[0], row[1]) if row and now < row[0] + seconds else (now, 0)
