"""OAuth 2.0 tokens of users: https://docs.x.com/fundamentals/authentication/oauth-2-0/authorization-code."""

from collections.abc import Callable
from hashlib import sha256

from sandbox.records import Records
from sandbox.x.archive import Account, Archive

ACCESS_SECONDS = 2 * 60 * 60
REFRESH_SECONDS = 180 * 24 * 60 * 60
SCOPES = "tweet.read tweet.write users.read media.write offline.access"
CLIENT = "sandbox-client"


class Tokens:
    """Access tokens and refresh tokens. Those of the start never expire by themselves; a refresh token is good once."""

    def __init__(self, records: Records, archive: Archive, clock: Callable[[], float]) -> None:
        self._records = records
        self._archive = archive
        self._clock = clock
        for account in archive.accounts.values():
            for kind in ("access", "refresh"):
                records.write("token_put", _drawn(account, kind, "first"), account.id, kind, 0.0, None)
        records.commit()

    def owner(self, token: str, kind: str = "access") -> tuple[Account, bool] | None:
        """Return whose token this is and whether it is in force."""
        row = self._records.row("token_get", token, kind)
        if row is None or row[0] not in self._archive.accounts:
            return None
        return self._archive.accounts[row[0]], row[1] is None or row[1] > self._clock()

    def refresh(self, token: str) -> tuple[str, str] | None:
        """Return a new access token and refresh token for a refresh token in force, which ends with it; else None."""
        owner = self.owner(token, "refresh")
        if owner is None or not owner[1]:
            return None
        now = self._clock()
        fresh = {kind: _drawn(owner[0], kind, f"{token}/{now!r}") for kind in ("access", "refresh")}
        self._records.write("token_expire", now, token)
        self._records.write("token_put", fresh["access"], owner[0].id, "access", now, now + ACCESS_SECONDS)
        self._records.write("token_put", fresh["refresh"], owner[0].id, "refresh", now, now + REFRESH_SECONDS)
        self._records.commit()
        return fresh["access"], fresh["refresh"]

    def expire(self, account: Account) -> None:
        """End all access tokens of an account; its refresh token stays good."""
        self._records.write("tokens_expire", self._clock(), account.id)
        self._records.commit()

    def newest(self, account: Account, kind: str) -> str:
        """Return the token of this kind that was issued last."""
        row = self._records.row("token_newest", account.id, kind)
        assert row is not None, "every account gets its tokens at the start"
        return str(row[0])


def _drawn(account: Account, kind: str, seed: str) -> str:
    return f"{kind}-" + sha256(f"sandbox/x/{account.username}/{kind}/{seed}".encode()).hexdigest()
