"""As what media are sent, and how messages are forwarded."""

import pytest

from common.media.items import Kind, MediaItem
from common.telegram.outgoing import forward_request
from common.telegram.peers import Peer
from common.telegram.shown import file_name, kinds_shown


def items(*kinds: str) -> list[MediaItem]:
    """Media of these kinds; `gif` is an animation that is no video."""
    return [
        MediaItem("animation", url="x", mime_type="image/gif")
        if kind == "gif"
        else MediaItem(kind, url="x", mime_type="video/mp4" if kind == "animation" else "")  # type: ignore[arg-type]
        for kind in kinds
    ]


@pytest.mark.parametrize(
    ("kinds", "shown"),
    [
        (["animation"], ["animation"]),
        (["photo", "video"], ["photo", "video"]),
        (["photo", "animation"], ["photo", "video"]),
        (["photo", "gif"], ["document", "document"]),
        (["audio", "audio"], ["audio", "audio"]),
        (["voice", "voice"], ["document", "document"]),
        (["photo", "document"], ["document", "document"]),
        (["video", "audio", "sticker"], ["document"] * 3),
    ],
)
def test_what_an_album_can_not_hold_together_are_files(kinds: list[str], shown: list[Kind]) -> None:
    assert kinds_shown(items(*kinds)) == shown


@pytest.mark.parametrize(
    ("item", "name"),
    [
        (MediaItem("document", url="x", name="Bericht.pdf", mime_type="application/pdf"), "Bericht.pdf"),
        (MediaItem("video", url="x", mime_type="video/mp4"), "video.mp4"),
        (MediaItem("document", url="x"), "document"),
        (MediaItem("photo", url="x", name="a.webp"), "photo.jpg"),
    ],
)
def test_a_file_has_a_name(item: MediaItem, name: str) -> None:
    assert file_name(item) == name


def test_messages_are_forwarded_under_our_own_random_ids() -> None:
    source, target = Peer("channel", 1, 2), Peer("chat", 3, 0)
    request = forward_request(source, (10, 11), target, (5, 6))
    assert (request.id, request.random_id) == ([10, 11], [5, 6])
    assert (request.from_peer, request.to_peer) == (source.input_peer, target.input_peer)
