"""The dead letters as an operator works with them: found, opened, edited, replayed, discarded.

What is done to them is done in the database, in one transaction with the jobs and the messages that go out. The letters
in the stream follow: those that nobody knows any more are deleted.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import uuid4

from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError
from pydantic import ValidationError

from common.events import EVENTS, Emitted, Event
from common.events.envelope import ID, MESSAGE_ID, POST
from common.messaging.adopting import Strays
from common.messaging.dead_letters import STREAM, statements
from common.messaging.job import said
from common.messaging.ledger import columns
from common.messaging.letters import Contents, DeadLetter, LetterFilter, LetterGroup
from common.messaging.within import Emitting
from common.operations import GONE, Outcome
from common.postgres import Database, Within

log = logging.getLogger(__name__)

END_OF_TIME = datetime(9999, 12, 31, tzinfo=UTC)
NOT_KEPT = "its letter is not kept any more"
SETTLED_SECONDS = 600.0  # since a letter was written: by then it has reached its stream
AT_ONCE = 50  # requests to the stream
# Subjects in one answer of the server (JSMaxSubjectDetails):
# https://github.com/nats-io/nats-server/blob/main/server/jetstream_api.go
MOST_NAMED = 100_000


class NoSuchLetter(Exception):
    """There is no dead letter with this number."""


class LetterNotKept(Exception):
    """The stream does not have the letter any more: it was too old, or the stream was too full."""


class LetterChanged(Exception):
    """Somebody else edited, replayed or discarded the letter meanwhile."""


class WrongPayload(Exception):
    """The payload is not one of the letter's event; the message says each field with what is wrong about it."""


class DeadLetters:
    """The dead letters. In a transaction of the caller's where the database is `Within` one: `clear` after its end."""

    def __init__(
        self,
        stream: JetStreamContext,
        database: Database,
        rails: Emitting,
        events: Sequence[type[Event]] = EVENTS,
    ) -> None:
        self._stream = stream
        self._database = database
        self._rails = rails
        self._events = {event.subject: event for event in events}
        self._sql = statements()
        self._removed: list[str] = []  # places of letters that the stream need not keep
        self._edited: list[str] = []  # those that have a newer one in the same place

    def within(self, database: Database, rails: Emitting) -> "DeadLetters":
        """Return them as they are seen from inside a transaction."""
        return DeadLetters(self._stream, database, rails, [*self._events.values()])

    async def find(self, wanted: LetterFilter, *, limit: int) -> list[DeadLetter]:
        """Return the newest that match, newest first."""
        rows = await self._database.fetch(self._sql["list"], limit, END_OF_TIME, None, *wanted.columns())
        return [DeadLetter.of(row) for row in rows]

    async def groups(self, wanted: LetterFilter, *, limit: int) -> list[LetterGroup]:
        """Return the groups of those that match, the one with the newest letter first."""
        rows = await self._database.fetch(self._sql["groups"], limit, END_OF_TIME, None, *wanted.columns())
        return [LetterGroup.of(row) for row in rows]

    async def count(self, wanted: LetterFilter) -> int:
        """Return how many match."""
        row = await self._database.fetchrow(self._sql["count"], *wanted.columns())
        return int(row[0]) if row else 0

    async def page(self, wanted: LetterFilter, *, until: datetime, after: int, limit: int) -> list[int]:
        """Return the numbers after a number of those that match and died until then."""
        rows = await self._database.fetch(self._sql["page"], limit, after, until, *wanted.columns())
        return [row["number"] for row in rows]

    async def get(self, number: int) -> DeadLetter:
        """Return one. Raises NoSuchLetter."""
        found = await self.known([number])
        if not found:
            raise NoSuchLetter(f"there is no dead letter {number}; `postroom dead list` shows all")
        return found[0]

    async def known(self, numbers: Sequence[int]) -> list[DeadLetter]:
        """Return those that there are."""
        return [DeadLetter.of(row) for row in await self._database.fetch(self._sql["get"], list(numbers))]

    async def of_jobs(self, jobs: Sequence[tuple[str, str]]) -> list[DeadLetter]:
        """Return the letters of jobs, each a consumer and an event id."""
        return [DeadLetter.of(row) for row in await self._database.fetch(self._sql["of_jobs"], *columns(jobs, 2))]

    async def open(self, letter: DeadLetter) -> Contents | None:
        """Return what a letter holds; None where it is not kept any more."""
        return (await self._opened([letter])).get(letter.place)

    async def edit(self, letter: DeadLetter, payload: bytes, *, by: str) -> None:
        """Give a letter another payload. It forgets which post it was about: the payload says so itself.

        Raises WrongPayload, LetterNotKept, LetterChanged.
        """
        post_id = self._validated(letter, payload)
        contents = await self.open(letter)
        if contents is None:
            raise LetterNotKept(NOT_KEPT)
        headers = {name: value for name, value in contents.headers.items() if name != POST}
        headers[MESSAGE_ID] = f"dlq-edit:{letter.number}:{uuid4()}"
        if post_id:
            headers[POST] = str(post_id)
        edited = Emitted(headers[MESSAGE_ID], letter.consumer, letter.event_id, letter.place, headers, payload)
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._sql["edit"], letter.number, letter.edited_at, by, post_id)
            if row is None:
                raise LetterChanged(f"somebody else changed dead letter {letter.number} meanwhile")
            await self._rails.emit(connection, [edited])
        await self._rails.outbox.publish([edited])
        self._edited.append(letter.place)
        await self._follow()

    async def replay(self, letters: Sequence[DeadLetter]) -> list[Outcome]:
        """Send letters back to the consumers that failed, and say for each why it was refused.

        The id of a message stays, so the inboxes of consumers that did not fail drop it; it takes a fresh
        `Nats-Msg-Id`, because the duplicate window would drop the old one.
        """
        opened = await self._opened(letters)
        kept = [letter for letter in letters if letter.place in opened]
        taken = await self._take_out(kept, "free_jobs", [_message(letter, opened[letter.place]) for letter in kept])
        return [None if each.number in taken else NOT_KEPT if each not in kept else GONE for each in letters]

    async def discard(self, letters: Sequence[DeadLetter]) -> list[Outcome]:
        """Delete letters for good, and say for each why it was refused. Their jobs end as cancelled."""
        taken = await self._take_out(letters, "call_off_jobs", [])
        return [None if each.number in taken else GONE for each in letters]

    async def clear(self) -> None:
        """Delete from the stream what was replayed, discarded or replaced by an edited letter.

        Where that fails, nobody sees a difference, and `agree` makes up for it.
        """
        removed, self._removed, edited, self._edited = self._removed, [], self._edited, []
        try:
            for start in range(0, len(removed), AT_ONCE):
                await asyncio.gather(
                    *(self._stream.purge_stream(STREAM, subject=each) for each in removed[start : start + AT_ONCE])
                )
            for each in edited:
                await self._stream.purge_stream(STREAM, subject=each, keep=1)
        except (NatsError, OSError) as error:
            log.warning("%d dead letters stay in their stream for now: %r", len(removed) + len(edited), error)

    async def agree(self) -> tuple[int, int]:
        """Make table and stream agree; return how many were dropped of each.

        Letters that the stream has dropped, by age or size, leave the table. Letters that the table does not know leave
        the stream where their replay or discard was interrupted; any others are taken into the table.
        """
        # First the stream: whatever it has by now was in the table before.
        there = (await self._stream.stream_info(STREAM, subjects_filter="dlq.>")).state.subjects or {}
        if len(there) >= MOST_NAMED:  # those left out are not lost
            log.warning("%d dead letters are too many to be compared with their stream", len(there))
            return 0, 0
        rows = await self._database.fetch(self._sql["places"], SETTLED_SECONDS)
        known = {f"dlq.{row['stream']}.{row['consumer']}.{row['sequence']}": row for row in rows}
        lost = [row["number"] for each, row in known.items() if row["settled"] and each not in there]
        if lost:
            await self._database.execute(self._sql["forget"], lost)
        adopting = Strays(self._stream, self._database)
        strays = sum([await adopting.settle(each) for each in there if each not in known])
        if lost or strays:
            log.info("dead letters: %d were gone from their stream, %d strays deleted there", len(lost), strays)
        return len(lost), strays

    def _validated(self, letter: DeadLetter, payload: bytes) -> object:
        """Return the post that a payload is about. Raises WrongPayload."""
        model = self._events.get(letter.subject)
        if model is None:
            raise WrongPayload(f"what is sent on {letter.subject} has no schema here: it can't be edited")
        try:
            return model.model_validate_json(payload).about()
        except ValidationError as error:
            raise WrongPayload(said(error)) from None

    async def _take_out(self, letters: Sequence[DeadLetter], jobs: str, messages: Sequence[Emitted]) -> set[int]:
        """Take letters out with what becomes of their jobs, and send messages in the place of those taken."""
        if not letters:
            return set()
        await self._arrived([letter.place for letter in letters])
        async with self._database.transaction() as connection:
            rows = await connection.fetch(
                self._sql["take_out"], *columns([(each.number, each.edited_at) for each in letters], 2)
            )
            numbers = {row["number"] for row in rows}
            taken = [letter for letter in letters if letter.number in numbers]
            await connection.execute(self._sql[jobs], *columns([(each.consumer, each.event_id) for each in taken], 2))
            places = [letter.place for letter in taken]
            await connection.execute(self._sql["forget_unpublished"], places)
            ids = {_replay_id(letter) for letter in taken}
            out = [message for message in messages if message.id in ids]
            if out:
                await self._rails.emit(connection, out)
        await self._rails.outbox.publish(out)
        self._removed += places
        await self._follow()
        return numbers

    async def _follow(self) -> None:
        if not isinstance(self._database, Within):
            await self.clear()

    async def _opened(self, letters: Sequence[DeadLetter]) -> dict[str, Contents]:
        """Return what letters hold, by their places; of those that are kept."""
        places = [letter.place for letter in letters]
        opened: dict[str, Contents] = {}
        for start in range(0, len(places), AT_ONCE):
            page = places[start : start + AT_ONCE]
            found = await asyncio.gather(*(self._in_stream(each) for each in page))
            opened |= {each: contents for each, contents in zip(page, found, strict=True) if contents}
        return opened | await self._unpublished(places)

    async def _unpublished(self, places: Sequence[str]) -> dict[str, Contents]:
        rows = await self._database.fetch(self._sql["unpublished"], places)
        return {row["subject"]: Contents(json.loads(row["headers"]), bytes(row["payload"])) for row in rows}

    async def _arrived(self, places: Sequence[str]) -> None:
        """Publish what waits in the outbox. Whoever is about to do so is late then, and the stream drops its copy."""
        for subject, contents in (await self._unpublished(places)).items():
            await self._stream.publish(subject, contents.payload, headers=dict(contents.headers))

    async def _in_stream(self, subject: str) -> Contents | None:
        try:
            message = await self._stream.get_last_msg(STREAM, subject)
        except NotFoundError:
            return None
        return Contents(message.headers or {}, message.data or b"")


def _replay_id(letter: DeadLetter) -> str:
    return f"replay:{letter.number}"


def _message(letter: DeadLetter, contents: Contents) -> Emitted:
    headers = {name: value for name, value in contents.headers.items() if not name.startswith(("dl-", "Nats-"))}
    headers |= {ID: letter.event_id, MESSAGE_ID: _replay_id(letter)}
    return Emitted(_replay_id(letter), letter.consumer, letter.event_id, letter.subject, headers, contents.payload)
