"""What can be done to all dead letters that match a filter."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime

from common.messaging.letters import DeadLetter, LetterFilter
from common.messaging.replay import DeadLetters
from common.operations import GONE, Operation, Outcome


class LetterOperation:
    """One thing done to many letters. Its keys are their numbers."""

    filter = LetterFilter

    def __init__(
        self, name: str, letters: DeadLetters, do: Callable[[Sequence[DeadLetter]], Awaitable[list[Outcome]]]
    ) -> None:
        self.name = name
        self._letters = letters
        self._do = do

    async def count(self, wanted: LetterFilter) -> int:
        """Return how many match."""
        return await self._letters.count(wanted)

    async def page(self, wanted: LetterFilter, *, until: datetime, after: str | None, limit: int) -> Sequence[str]:
        """Return the numbers of those that match; a job that fails again has a letter that is too young."""
        return [str(each) for each in await self._letters.page(wanted, until=until, after=int(after or 0), limit=limit)]

    async def act(self, keys: Sequence[str], operation: Operation) -> Sequence[Outcome]:  # noqa: ARG002
        """Do it."""
        letters = await self._letters.known([int(key) for key in keys])
        outcomes = await self._do(letters)
        said = {str(letter.number): outcome for letter, outcome in zip(letters, outcomes, strict=True)}
        return [said.get(key, GONE) for key in keys]


def letter_operations(letters: DeadLetters) -> list[LetterOperation]:
    """Return the kinds of operations on dead letters."""
    return [
        LetterOperation("dead_letters.replay", letters, letters.replay),
        LetterOperation("dead_letters.discard", letters, letters.discard),
    ]
