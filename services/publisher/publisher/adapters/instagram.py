"""Instagram as a place to publish.

A container is published once, however often that is asked for. So its id is kept before it is published, and says after
a crash, or where there was no answer, whether it was.
"""

from common.planning.fitting import for_instagram
from common.sends import Away, Inconclusive, NotSent, Refused, Trouble, Unanswered, Wait
from common.telegram.text import RichText
from publisher.adapters.instagram_calls import Failed, InstagramCalls
from publisher.adapters.instagram_containers import GONE, PUBLISHED, Broken, Containers
from publisher.adapters.instagram_reading import UNKNOWN_WAIT_SECONDS, first_like, require_place
from publisher.ports import Message, Progress, Sent

# Subcodes of https://developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/error-codes
QUOTA_USED = 2207042
NO_SUCH_CONTAINER = 2207006
NOT_READY = 2207027
LOST = frozenset({2207020, 2207032})  # expired, failed


class Instagram:
    """The accounts of INSTAGRAM_ACCOUNTS. Implements publisher.ports.Platform."""

    name = "instagram"
    problem = None

    def __init__(self, calls: InstagramCalls, containers: Containers, *, has_images_made: bool) -> None:
        self.has_images_made = has_images_made
        self._calls = calls
        self._containers = containers

    def canonical(self, address: str) -> str:
        """Return the name of an account of the settings."""
        return self._calls.tokens.named(address)

    def fitted(self, body: RichText, *, caption: bool) -> RichText:  # noqa: ARG002
        """Return a text as a caption may be: without marks, cut, with no more hashtags and mentions than allowed."""
        return for_instagram(body)

    async def ready(self) -> None:
        """Return at once: there is no connection to keep."""

    async def crowded(self, address: str) -> bool:  # noqa: ARG002
        """Return that it is no group."""
        return False

    async def newest(self, address: str) -> int:  # noqa: ARG002
        """Return 0: what is looked for is bounded by time."""
        return 0

    async def send(self, message: Message) -> Sent:
        """Publish a picture or an album, once."""
        account, record, note = message.address, message.record, None
        container = record.progress.container
        status = await self._containers.status(account, container) if container else GONE
        if container and (status == PUBLISHED or (status == GONE and message.doubtful)):
            try:
                if sent := await self._found(message, await record.taken()):
                    return sent
            except Inconclusive as error:
                raise Unanswered(str(error)) from None
            raise Unanswered(f"its container is {status.lower()}, and it is not found among the account's posts")
        if container is None or status not in ("IN_PROGRESS", "FINISHED"):
            await require_place(self._calls, account)
            container, note = await self._containers.make(account, message.body.text, message.media)
            await record.keep(Progress(container=container))
        try:
            await self._containers.finished(account, container)
            media = await self._publish(account, container)
        except Broken as error:
            if message.doubtful and await self._containers.status(account, container) in (PUBLISHED, GONE):
                raise Unanswered(str(error)) from None
            await record.keep(Progress())
            raise
        return Sent((media,), await self._permalink(account, media), note)

    async def find(self, message: Message, taken: frozenset[int]) -> Sent | None:
        """Look whether its container was published, and as which post."""
        container = message.record.progress.container
        if container is None:
            raise NotSent("there is no container yet")
        status = await self._containers.status(message.address, container)
        if status not in (PUBLISHED, GONE):
            raise NotSent(f"its container is not published: {status}")
        return await self._found(message, taken)

    async def delete(self, address: str, message_ids: tuple[int, ...]) -> None:  # noqa: ARG002
        """Raise Refused: Instagram lets no program delete posts."""
        raise Refused("Instagram lets no program delete posts; a person can, in the app")

    async def _publish(self, account: str, container: str) -> int:
        """Publish a container and return the id of the post."""
        path = f"{self._calls.node(account)}/media_publish"
        try:
            answer = await self._calls.ask(account, "POST", path, once=True, data={"creation_id": container})
            return int(answer["id"])
        except (KeyError, TypeError, ValueError):
            raise Unanswered("Instagram answered without the id of the post") from None
        except Failed as error:
            if error.subcode == QUOTA_USED:
                await require_place(self._calls, account)
                raise Wait(UNKNOWN_WAIT_SECONDS, str(error)) from None
            if error.subcode == NO_SUCH_CONTAINER:
                status = await self._containers.status(account, container)
                if status in (PUBLISHED, GONE):
                    raise Unanswered(f"its container is {status.lower()}") from None
                raise Broken(str(error)) from None
            if error.subcode in LOST:
                raise Broken(str(error)) from None
            if error.subcode == NOT_READY:
                raise Trouble(str(error)) from None
            raise

    async def _found(self, message: Message, taken: frozenset[int]) -> Sent | None:
        post = await first_like(self._calls, message.address, message.body.text, message.since, taken)
        return Sent((int(post["id"]),), post.get("permalink")) if post else None

    async def _permalink(self, account: str, media: int) -> str | None:
        """Return the link of a post; it is published, whatever becomes of this."""
        try:
            answer = await self._calls.ask(account, "GET", f"/{media}", params={"fields": "permalink"})
        except (Refused, Wait, Away, Trouble):
            return None
        return answer.get("permalink")
