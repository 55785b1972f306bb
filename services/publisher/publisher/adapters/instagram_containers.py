"""Containers: what is to become a post on Instagram, which fetches the pictures from our addresses.

https://developers.facebook.com/docs/instagram-platform/content-publishing. A container may be made as often as one
likes; one that is not published within a day is gone.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence

from common.media.items import ALBUM_ITEMS, MediaItem
from common.media.links import MediaLinks
from common.sends import Refused, Trouble, Unanswered
from common.telegram.outgoing import MediaUnavailable
from publisher.adapters.instagram_calls import Failed, InstagramCalls
from publisher.adapters.pictures import Gallery, is_picture

LINK_SECONDS = 3600.0  # for which the address of a picture is good: Instagram fetches it at once
FIRST_LOOK_SECONDS, LONGEST_LOOK_SECONDS = 0.2, 10.0  # between looks at a container; doubles each time
PROCESSING_SECONDS = 300.0
PUBLISHED = "PUBLISHED"
GONE = "GONE"  # what Instagram does not know, or not any more
# https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-container
STATUSES = ("IN_PROGRESS", "FINISHED", PUBLISHED, "ERROR", "EXPIRED")
NO_SUCH_NODE = 33
NOT_FETCHED = frozenset({2207003, 2207052})
UNFIT = frozenset({2207004, 2207005, 2207009, 2207023})  # too large, no JPEG, too tall or too wide, unknown


class Broken(Trouble):
    """Nothing will become of the container; another one may do."""


class Containers:
    """Makes containers, and waits for them."""

    def __init__(self, calls: InstagramCalls, gallery: Gallery, links: MediaLinks) -> None:
        self._calls = calls
        self._gallery = gallery
        self._links = links

    async def make(self, account: str, caption: str, media: Sequence[MediaItem]) -> tuple[str, str | None]:
        """Make a container of the pictures among the media; return it, and a note of what is left out.

        Raises Refused where there is none, and what InstagramCalls.ask raises.
        """
        pictures = [item for item in media if is_picture(item)][:ALBUM_ITEMS]
        if not pictures:
            raise Refused("it has no image, and Instagram takes no post without one")
        notes = [f"{more} of its media left out: Instagram gets images"] if (more := len(media) - len(pictures)) else []
        text = {"caption": caption} if caption else {}
        if len(pictures) > 1:
            children, problems = await self._children(account, pictures)
            notes += [f"sent without one of its media: {problem}" for problem in problems]
            if len(children) > 1:
                for child in children:
                    await self.finished(account, child)
                album = {"media_type": "CAROUSEL", "children": ",".join(children)}
                return await self._create(account, album | text), _note(notes)
            pictures = list(children.values())
        if not pictures:
            raise Refused(f"none of its images can be used: {_note(notes)}")
        try:
            return await self._create(account, await self._picture(pictures[0]) | text), _note(notes)
        except MediaUnavailable as error:
            raise Refused(f"its image can't be used: {error}") from None

    async def status(self, account: str, container: str) -> str:
        """Return IN_PROGRESS, FINISHED, PUBLISHED, ERROR, EXPIRED or GONE."""
        return (await self._look(account, container))[0]

    async def finished(self, account: str, container: str) -> None:
        """Return when a container can be published. Raises Broken where it can't be, Unanswered where it is."""
        end, pause = time.monotonic() + PROCESSING_SECONDS, FIRST_LOOK_SECONDS
        while True:
            status, said = await self._look(account, container)
            if status == "FINISHED":
                return
            if status == PUBLISHED:  # by an earlier try, which was not answered: no other container may be made
                raise Unanswered("its container is published meanwhile")
            if status != "IN_PROGRESS":
                raise Broken(f"Instagram made no post of its container: {said or status}")
            if time.monotonic() > end:
                raise Broken(f"Instagram has not finished its container within {PROCESSING_SECONDS:.0f} s")
            await asyncio.sleep(pause)
            pause = min(LONGEST_LOOK_SECONDS, pause * 2)

    async def _look(self, account: str, container: str) -> tuple[str, str]:
        try:
            answer = await self._calls.ask(account, "GET", f"/{container}", params={"fields": "status_code,status"})
        except Failed as error:
            if error.subcode != NO_SUCH_NODE:
                raise
            return GONE, str(error)
        if (status := answer.get("status_code")) not in STATUSES:
            raise Trouble(f"Instagram says of a container that it is {str(status)[:50]}, which nobody expected")
        return status, str(answer.get("status", ""))

    async def _children(self, account: str, pictures: Sequence[MediaItem]) -> tuple[dict[str, MediaItem], list[str]]:
        """Make a container for each picture of an album; return them, and why others are not among them."""
        children, problems = {}, []
        for item in pictures:
            try:
                child = await self._create(account, await self._picture(item) | {"is_carousel_item": "true"})
                children[child] = item
            except MediaUnavailable as error:
                problems.append(str(error))
        return children, problems

    async def _picture(self, item: MediaItem) -> dict[str, str]:
        return {"image_url": self._links.address(await self._gallery.kept(item), LINK_SECONDS)}

    async def _create(self, account: str, wanted: Mapping[str, str]) -> str:
        try:
            answer = await self._calls.ask(account, "POST", f"{self._calls.node(account)}/media", data=dict(wanted))
        except Failed as error:
            if error.subcode in UNFIT:
                raise MediaUnavailable(str(error)) from None
            if error.subcode in NOT_FETCHED:
                raise Trouble(f"{error}: is API_BASE_URL where Instagram reaches the api?") from None
            raise
        if "id" not in answer:
            raise Trouble("Instagram answered without the id of the container")
        return str(answer["id"])


def _note(notes: Sequence[str]) -> str | None:
    return "; ".join(notes) or None
