"""What was posted outlives the process."""

from pathlib import Path
from typing import Any

import pytest

from sandbox.faults import Faults
from sandbox.platforms import open_platforms
from sandbox.settings import SandboxSettings
from sandbox.x.errors import XProblem


async def test_posts_media_tokens_and_windows_are_there_again(tmp_path: Path, clock: Any, draw: Any) -> None:
    settings = SandboxSettings(state=tmp_path, x_accounts=("demo",), x_posts=1)
    x = open_platforms(settings, Faults(), clock).x
    account = x.archive.named("demo")
    assert account
    media = await x.uploads.upload(account, "tweet_image", draw())
    part = x.uploads.initialize(account, "tweet_image", "image/png", 4)
    x.uploads.append(account, part.id, 0, b"half")
    first = x.posting.create(account, {"text": "kept", "media": {"media_ids": [str(media.id)]}})
    x.windows.count(account, "/2/tweets")
    fresh = x.tokens.refresh(x.tokens.newest(account, "refresh"))
    assert fresh

    again = open_platforms(settings, Faults(), clock)  # as after a death: nothing was closed
    x = again.x
    assert x.archive.posts(account, 10) == [first]
    assert x.archive.content(media.id) == (draw(), "image/jpeg")
    assert x.archive.segments(part) == [(0, b"half")]
    assert x.tokens.owner(fresh[0]) == (account, True)
    announced = again.announcement("")["x"]["accounts"][0]
    assert (announced["access_token"], announced["refresh_token"]) == fresh
    with pytest.raises(XProblem, match="Too Many Requests"):
        x.windows.count(account, "/2/tweets")
    assert x.posting.create(account, {"text": "more"}).id > first.id
    again.close()
