"""Pictures for platforms that fetch them: without a token, for whoever has an address that was signed, for a while."""

import asyncio
from collections.abc import Awaitable, Callable

from starlette.requests import Request
from starlette.responses import Response

from api.http.problems import Problem
from common.media.links import LinkRefused, MediaLinks, MediaLinkSettings
from common.media.pictures import INSTAGRAM, NotAPicture, fitted
from common.media.store import ImageMissing, MediaStore

PATH = "/media/{hash}.jpg"
# No proxy may keep what is good for an hour only, and no browser take it for something else.
HEADERS = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def media_links(store: MediaStore, settings: MediaLinkSettings) -> Callable[[Request], Awaitable[Response]]:
    """Return the endpoint. It answers a JPEG as Instagram takes it, and a problem 404 to everything else."""
    secret = settings.media_url_secret
    links = MediaLinks(secret.get_secret_value(), settings.api_base_url) if secret else None
    one_at_a_time = asyncio.Semaphore(1)  # a picture takes up to 150 MB while it is converted

    async def answer(request: Request) -> Response:
        if links is None:
            raise Problem("not-found", "MEDIA_URL_SECRET is not set")
        digest, given = request.path_params["hash"], request.query_params
        try:
            links.check(digest, given.get("expires", ""), given.get("signature", ""))
            async with one_at_a_time, store.open(digest) as content:
                picture = await asyncio.to_thread(lambda: fitted(content, INSTAGRAM).read())
        except (LinkRefused, ImageMissing, NotAPicture) as error:
            raise Problem("not-found", str(error)) from None
        return Response(picture, media_type="image/jpeg", headers=HEADERS)

    return answer
