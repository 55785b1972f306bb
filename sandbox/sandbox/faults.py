"""Faults that a test or a person injects into the sandbox (`POST /api/faults`), one registry for all of it."""

from collections.abc import Container, Iterator
from itertools import count

from pydantic import BaseModel, ConfigDict, Field


class Fault(BaseModel):
    """One kind of trouble, for the next `times` calls that match.

    `where` names what it befalls: `telegram:<method>` (`telegram:messages.SendMessage`, `telegram:*`), `model`
    (texts and images) or `images` alone, `feed:<name>` or `feed:*`, `instagram` or `instagram:<operation>`, `x` or
    `x:<path>`. `account` (a user's or bot's id) and `chat` (a chat's id) narrow it where they are given. `kind` is what
    happens, and `seconds` or `message` its parameter where it has one; the handlers of each part of the sandbox
    document the kinds they know.
    """

    model_config = ConfigDict(extra="forbid")

    where: str
    kind: str
    times: int = Field(default=1, ge=1)
    account: int | None = None
    chat: int | None = None
    seconds: float = Field(default=0.0, ge=0.0)
    message: str = ""

    def befalls(self, where: str, account: int | None, chat: int | None) -> bool:
        """Whether this fault is meant for a call to `where` by `account` in `chat`."""
        scope, _, any_of_it = self.where.rpartition("*")
        return (
            (self.where == where or (any_of_it == "" and scope != "" and where.startswith(scope)))
            and self.account in (None, account)
            and self.chat in (None, chat)
        )


class Faults:
    """The faults that are still to happen, in the order they were added."""

    def __init__(self) -> None:
        self._ids = count(1)
        self._pending: dict[int, Fault] = {}

    def __iter__(self) -> Iterator[tuple[int, Fault]]:
        return iter(list(self._pending.items()))

    def add(self, fault: Fault) -> int:
        """Add a fault and return its id."""
        number = next(self._ids)
        self._pending[number] = fault
        return number

    def take(
        self,
        where: str,
        *,
        account: int | None = None,
        chat: int | None = None,
        kinds: Container[str] | None = None,
    ) -> Fault | None:
        """Return the first fault that befalls this call (of these `kinds`), counting it down, or None."""
        for number, fault in self._pending.items():
            if fault.befalls(where, account, chat) and (kinds is None or fault.kind in kinds):
                if fault.times == 1:
                    del self._pending[number]
                else:
                    self._pending[number] = fault.model_copy(update={"times": fault.times - 1})
                return fault
        return None

    def clear(self, number: int | None = None) -> None:
        """Forget one fault, or all of them."""
        if number is None:
            self._pending.clear()
        else:
            self._pending.pop(number, None)
