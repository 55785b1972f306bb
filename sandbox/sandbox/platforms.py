"""Instagram and X, put together from the settings."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.faults import Faults
from sandbox.instagram.containers import Studio
from sandbox.instagram.gallery import Gallery
from sandbox.instagram.routes import VERSION, InstagramEndpoint
from sandbox.records import Records
from sandbox.settings import SandboxSettings
from sandbox.x.archive import Archive
from sandbox.x.routes import XEndpoint
from sandbox.x.tokens import CLIENT, Tokens
from sandbox.x.uploads import Uploads
from sandbox.x.windows import Windows


@dataclass(frozen=True)
class Platforms:
    """The two, with the files that they keep."""

    instagram: InstagramEndpoint
    x: XEndpoint
    records: tuple[Records, ...]

    def announcement(self, url: str) -> dict[str, Any]:
        """Return what a publisher has to know, and where the pages are."""
        gallery, tokens = self.instagram.studio.gallery, self.x.tokens
        return {
            "instagram": {
                "base_url": f"{url}/instagram",
                "version": VERSION,
                "accounts": [
                    {
                        "id": str(account.id),
                        "username": account.username,
                        "access_token": gallery.newest_token(account),
                        "page": f"{url}/accounts/instagram/{account.username}",
                    }
                    for account in gallery.accounts.values()
                ],
            },
            "x": {
                "base_url": f"{url}/x",
                "web_url": f"{url}/x",
                "client_id": CLIENT,
                "accounts": [
                    {
                        "id": str(account.id),
                        "username": account.username,
                        "access_token": tokens.newest(account, "access"),
                        "refresh_token": tokens.newest(account, "refresh"),
                        "page": f"{url}/accounts/x/{account.username}",
                    }
                    for account in self.x.archive.accounts.values()
                ],
            },
        }

    def close(self) -> None:
        """Let go of the files."""
        for records in self.records:
            records.close()


def open_platforms(settings: SandboxSettings, faults: Faults, clock: Callable[[], float] = time.time) -> Platforms:
    """Open the two, with what they kept before; `clock` tells Unix seconds."""
    state, limited = settings.state, settings.limits == "real"
    records = Records(state / "instagram.sqlite3" if state else None, "sandbox.instagram")
    gallery = Gallery(records, settings.instagram_accounts, clock)
    quota = settings.instagram_quota if limited else None
    instagram = InstagramEndpoint(Studio(gallery, quota, settings.instagram_processing_seconds), faults)
    x_records = Records(state / "x.sqlite3" if state else None, "sandbox.x")
    archive = Archive(x_records, settings.x_accounts, clock)
    x = XEndpoint(
        archive,
        Tokens(x_records, archive, clock),
        Uploads(archive, settings.x_processing_seconds),
        Windows(x_records, clock, settings.x_posts if limited else None, settings.x_posts_seconds),
        faults,
    )
    return Platforms(instagram, x, (records, x_records))
