"""What the Graph API shows of users, containers and media: the fields that are asked for, and no others.

https://developers.facebook.com/docs/graph-api/guides/field-expansion
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sandbox.instagram.containers import Studio
from sandbox.instagram.errors import bad_parameter
from sandbox.instagram.gallery import Account, Container, Media

# What the specification knows and the sandbox has no value for: as with the real one, it is left out of the answer.
EMPTY_USER_FIELDS = {
    "biography",
    "website",
    "ig_id",
    "legacy_instagram_user_id",
    "profile_picture_url",
    "has_profile_pic",
}
EMPTY_USER_FIELDS |= {"business_discovery", "is_published", "mentioned_comment", "mentioned_media", "owner_business"}
EMPTY_USER_FIELDS |= {"shopping_product_tag_eligibility", "shopping_review_status"}
EMPTY_MEDIA_FIELDS = {
    "thumbnail_url",
    "is_shared_to_feed",
    "ig_id",
    "legacy_instagram_media_id",
    "view_count",
    "comments",
}
EMPTY_MEDIA_FIELDS |= {"boost_eligibility_info", "copyright_check_information", "current_live_viewer_count", "has_poll"}
EMPTY_MEDIA_FIELDS |= {"has_slider", "video_title", "product_tags"}
EMPTY_CONTAINER_FIELDS = {"copyright_check_status"}

# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-container#fields
SAID = {
    "IN_PROGRESS": "In Progress: Media is still being processed.",
    "FINISHED": "Finished: Media has been uploaded and it is ready to be published.",
    "PUBLISHED": "Published: Media has been already published.",
    "EXPIRED": "Expired: The media was not published within 24 hours and has expired.",
}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A field that was asked for, with those asked for inside it."""

    name: str
    inside: tuple["Wanted", ...] = field(default=())


def wanted_fields(given: str) -> tuple[Wanted, ...]:
    """Read `id,caption,children{id,media_url}`; raises the error of code 2500 where braces don't match."""
    found: list[Wanted] = []
    depth, start = 0, 0
    for position, letter in enumerate(given + ","):
        depth += {"{": 1, "}": -1}.get(letter, 0)
        if depth < 0 or (position == len(given) and depth):
            raise bad_parameter("Syntax error in the fields")
        if letter == "," and depth == 0:
            name, brace, rest = given[start:position].strip().partition("{")
            if name:
                inside = wanted_fields(rest.rstrip().removesuffix("}")) if brace else ()
                found.append(Wanted(name.partition(".")[0], inside))
            start = position + 1
    return tuple(found)


@dataclass(frozen=True)
class Nodes:
    """Writes nodes as JSON. `origin` is the address of the sandbox."""

    studio: Studio
    origin: str

    def user(self, account: Account, fields: tuple[Wanted, ...]) -> dict[str, Any]:
        """Return an account."""
        known: Mapping[str, Callable[[Wanted], Any]] = {
            "id": lambda _: str(account.id),
            "user_id": lambda _: account.id,
            "username": lambda _: account.username,
            "name": lambda _: account.username,
            "account_type": lambda _: "BUSINESS",
            "media_count": lambda _: self.studio.gallery.count(account),
            "followers_count": lambda _: 0,
            "follows_count": lambda _: 0,
        }
        return _shown("IGUser", known, fields, EMPTY_USER_FIELDS)

    def container(self, container: Container, fields: tuple[Wanted, ...]) -> dict[str, Any]:
        """Return a container."""
        status = container.status(self.studio.gallery.clock())
        failure = f"Error: Media upload has failed with error code {container.failure}"
        known: Mapping[str, Callable[[Wanted], Any]] = {
            "id": lambda _: str(container.id),
            "status_code": lambda _: status,
            "status": lambda _: SAID.get(status, failure),
        }
        return _shown("IGContainer", known, fields, EMPTY_CONTAINER_FIELDS)

    def media(self, media: Media, fields: tuple[Wanted, ...]) -> dict[str, Any]:
        """Return a post, or a picture of a carousel."""
        gallery = self.studio.gallery
        account = gallery.accounts[media.account]
        children = gallery.children(media.id) if media.kind == "CAROUSEL_ALBUM" else []
        post = media.album or media.id
        at = datetime.fromtimestamp(media.published_at, UTC)
        known: Mapping[str, Callable[[Wanted], Any]] = {
            "id": lambda _: str(media.id),
            "caption": lambda _: media.caption or None,
            "alt_text": lambda _: media.alt_text or None,
            "media_type": lambda _: media.kind,
            "media_product_type": lambda _: "FEED",
            "media_url": lambda _: f"{self.origin}{picture_path(children[0] if children else media)}",
            "permalink": lambda _: f"{self.origin}/accounts/instagram/{account.username}#m{post}",
            "shortcode": lambda _: shortcode(post),
            "timestamp": lambda _: at.strftime("%Y-%m-%dT%H:%M:%S+0000"),
            "username": lambda _: account.username,
            "owner": lambda inside: self.user(account, inside.inside),
            "like_count": lambda _: 0,
            "comments_count": lambda _: 0,
            "is_comment_enabled": lambda _: True,
            "children": lambda inside: (
                {"data": [self.media(child, inside.inside) for child in children]} if children else None
            ),
        }
        return _shown("IGMedia", known, fields, EMPTY_MEDIA_FIELDS)


def picture_path(media: Media) -> str:
    """Return the path at which the picture of a media is."""
    return f"/accounts/instagram/pictures/{media.id}.jpg"


def shortcode(media: int) -> str:
    """Return the short name that an address of Instagram has in place of an id: the id in base 64."""
    return urlsafe_b64encode(media.to_bytes(9, "big")).decode().lstrip("A")


def _shown(
    node: str, known: Mapping[str, Callable[[Wanted], Any]], fields: tuple[Wanted, ...], empty: set[str]
) -> dict[str, Any]:
    shown: dict[str, Any] = {}
    for wanted in fields or (Wanted("id"),):
        if wanted.name in known:
            value = known[wanted.name](wanted)
            if value is not None:
                shown[wanted.name] = value
        elif wanted.name not in empty:
            raise bad_parameter(f"Tried accessing nonexisting field ({wanted.name}) on node type ({node})")
    return shown | {"id": known["id"](Wanted("id"))}
