"""What was published outlives the process."""

from pathlib import Path
from typing import Any

from sandbox.faults import Faults
from sandbox.platforms import open_platforms
from sandbox.settings import SandboxSettings


def test_posts_quota_and_tokens_are_there_again(tmp_path: Path, clock: Any) -> None:
    settings = SandboxSettings(state=tmp_path, instagram_accounts=("demo",))
    platforms = open_platforms(settings, Faults(), clock)
    studio = platforms.instagram.studio
    account = studio.gallery.named("demo")
    assert account
    number = studio.gallery.add_container(account, "IMAGE", "kept", clock(), content=b"jpeg")
    post = studio.publish(account, str(number))
    token = studio.gallery.issue_token(account)
    announced = platforms.announcement("http://127.0.0.1:1")["instagram"]
    platforms.close()

    again = open_platforms(settings, Faults(), clock)
    gallery = again.instagram.studio.gallery
    assert [media.caption for media in gallery.posts(account, 10)] == ["kept"]
    assert gallery.content(post) == b"jpeg"
    assert again.instagram.studio.used(account) == 1
    assert gallery.owner(token) == (account, True)
    assert again.announcement("http://127.0.0.1:1")["instagram"] == announced
    assert announced["accounts"][0]["access_token"] == token
    again.close()
