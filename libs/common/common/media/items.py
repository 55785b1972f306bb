"""A medium of a post as it is to be sent."""

from dataclasses import asdict, dataclass
from typing import Any, Literal, Self, TypeAlias, get_args

Kind: TypeAlias = Literal["photo", "video", "animation", "audio", "voice", "sticker", "document"]
KINDS: tuple[Kind, ...] = get_args(Kind)
ALBUM_ITEMS = 10  # the most that an album has: https://core.telegram.org/bots/api#sendmediagroup


@dataclass(frozen=True, slots=True)
class MediaItem:
    """One photo or file. `hash` names it in the object store; one without is still to be fetched from `url`.

    `width` and `height` are in pixels. `mime_type` is that of the content.
    """

    kind: Kind
    hash: str | None = None
    url: str | None = None
    mime_type: str = ""
    size_bytes: int | None = None
    name: str | None = None
    width: int | None = None
    height: int | None = None
    duration_seconds: float | None = None

    def __post_init__(self) -> None:
        """Refuse what names no content."""
        if (self.hash is None) == (self.url is None):
            raise ValueError("a medium has either a hash or a url")

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Self:
        """Return what `to_json` gave; a kind that is not known is a document."""
        known = {name: value[name] for name in cls.__slots__ if name in value}
        return cls(**{**known, "kind": value["kind"] if value.get("kind") in KINDS else "document"})

    def to_json(self) -> dict[str, Any]:
        """Return it for a record: what is None is left out."""
        return {name: value for name, value in asdict(self).items() if value not in (None, "")}
