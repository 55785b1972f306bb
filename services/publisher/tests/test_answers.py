"""Answers of Instagram and X that come at the wrong moment, or that nobody expects."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import httpx
import pytest
from pydantic import SecretStr

from common.media.items import MediaItem
from common.media.links import MediaLinks
from common.postgres import Database
from common.sends import Trouble, Unanswered
from common.telegram.text import RichText
from publisher.accounts import Credentials
from publisher.adapters.calls import Calls
from publisher.adapters.instagram import Instagram
from publisher.adapters.instagram_calls import InstagramCalls
from publisher.adapters.instagram_containers import Containers
from publisher.adapters.tokens import Tokens
from publisher.adapters.x import X
from publisher.adapters.x_calls import XCalls
from publisher.ports import Message, Progress, Record

Answering = Callable[[httpx.Request], httpx.Response]
PICTURE = MediaItem("photo", hash="0" * 64)


async def nobody(_account: str, _why: str) -> None:
    """Tell nobody."""


@asynccontextmanager
async def calls(answer: Answering) -> AsyncIterator[Calls]:
    """Calls to a platform that answers so."""
    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as client:
        yield Calls(client, "http://platform", lambda: 5.0)


def tokens(database: Database, platform: str) -> Tokens:
    """An account `demo`."""
    return Tokens(database, platform, {"demo": Credentials(user_id="1", access_token=SecretStr("hush"))}, nobody)


def message(progress: Progress, *, doubtful: bool = True) -> Message:
    """A post that was tried before."""
    record = Record(progress)
    body = RichText(text="Once")
    return Message("demo", body, (PICTURE,), (1,), doubtful=doubtful, since=datetime.now(UTC), record=record)


def statuses(said: Sequence[dict[str, object]], made: list[str]) -> Answering:
    """Instagram with one container, of which it says one thing after the other; what is posted is noted."""
    left = list(said)

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            made.append(request.url.path)
            return httpx.Response(200, json={"id": "8"})
        if request.url.path == "/7":
            return httpx.Response(200, json=left.pop(0) if len(left) > 1 else left[0])
        return httpx.Response(200, json={"data": []})

    return answer


@pytest.mark.parametrize("first", ["FINISHED", "IN_PROGRESS"])
async def test_a_container_that_is_published_while_one_looks_is_not_made_again(database: Database, first: str) -> None:
    made: list[str] = []
    said = [{"status_code": first}, {"status_code": "PUBLISHED"}]
    async with calls(statuses(said, made)) as connection:
        asking = InstagramCalls(connection, tokens(database, "instagram"))
        containers = Containers(asking, None, MediaLinks("secret", "http://api"))  # type: ignore[arg-type]
        platform, given = Instagram(asking, containers, has_images_made=False), message(Progress(container="7"))
        for _ in range(2):
            with pytest.raises(Unanswered):
                await platform.send(given)
    assert (made, given.record.progress.container) == ([], "7")


@pytest.mark.parametrize("said", [{}, {"status_code": "NEW"}, {"status_code": ["PUBLISHED"]}])
async def test_an_answer_without_a_status_makes_no_other_container(database: Database, said: dict[str, object]) -> None:
    made: list[str] = []
    async with calls(statuses([said], made)) as connection:
        asking = InstagramCalls(connection, tokens(database, "instagram"))
        containers = Containers(asking, None, MediaLinks("secret", "http://api"))  # type: ignore[arg-type]
        given = message(Progress(container="7"))
        with pytest.raises(Trouble):
            await Instagram(asking, containers, has_images_made=False).send(given)
    assert (made, given.record.progress.container) == ([], "7")


async def test_what_is_gone_already_counts_as_deleted(database: Database) -> None:
    """As when a deletion was interrupted: else the rest of the thread would stay."""
    deleted = []

    def answer(request: httpx.Request) -> httpx.Response:
        deleted.append(request.url.path)
        gone = request.url.path.endswith("/2")
        return httpx.Response(404, json={"title": "Not Found"}) if gone else httpx.Response(200, json={"data": {}})

    async with calls(answer) as connection:
        asking = XCalls(connection, tokens(database, "x"))
        await X(asking, None).delete("demo", (1, 2))  # type: ignore[arg-type]
    assert deleted == ["/2/tweets/2", "/2/tweets/1"]


@pytest.mark.parametrize("content", ["<html>bad gateway</html>", "[" * 100_000, ""])
@pytest.mark.parametrize("status", [500, 503, 520, 524])
async def test_an_error_that_is_not_x_own_says_nothing_of_the_post(
    database: Database, status: int, content: str
) -> None:
    async with calls(lambda _request: httpx.Response(status, text=content)) as connection:
        with pytest.raises(Unanswered):
            await XCalls(connection, tokens(database, "x")).ask("demo", "POST", "/2/tweets", once=True)
