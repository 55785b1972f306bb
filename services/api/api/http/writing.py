"""What writes, whoever asks for it: one transaction with its effect, its record and its events; then who watches."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from api.http.callers import Caller
from api.http.calls import Call, System
from api.statements import statement
from common.messaging.within import EmittedWithin
from common.postgres import Connection, Within
from common.tokens import Scope

SECRETS = ("secret", "ticket", "password", "code")  # fields that the audit log leaves out


@dataclass(frozen=True, slots=True)
class Operation:
    """An operation of the API: its name in the audit log, and who hears that it was done."""

    name: str
    heard_by: Scope = "admin"  # the scope that reads what it changes
    announced: bool = True  # whether it is a live event


class Write:
    """One write. Inside its block `call` is in the transaction; `follow` comes after it."""

    def __init__(self, operation: Operation, connection: Connection, rails: EmittedWithin, call: Call) -> None:
        self.connection = connection
        self.call = call
        self._operation = operation
        self._rails = rails
        self._answer: Any = None

    async def record(self, answer: bytes) -> None:
        """Note in the audit log what was done, with its answer as JSON (empty: none)."""
        self._answer = json.loads(answer) if answer else None
        if not self.call.recorded:
            return
        before = self.call.before
        await self.connection.execute(
            statement("http", "record"),
            self.call.actor,
            self._operation.name,
            self.call.path,
            _recorded(before.model_dump(mode="json")) if isinstance(before, BaseModel) else None,
            _recorded(self._answer),
            self.call.request.state.request_id,
        )

    async def follow(self, parameters: Mapping[str, Any]) -> Response | None:
        """Publish what was emitted and tell who watches; `parameters` are the path's. It may have another answer."""
        await self._rails.publish_all()
        if self._operation.announced and self.call.recorded:
            post_id = parameters.get("post_id")
            if post_id is None and isinstance(self._answer, dict):
                post_id = self._answer.get("post_id")
            await self.call.system.live.tell(
                f"change.{self._operation.name}",
                post_id=str(post_id) if post_id else None,
                scope=self._operation.heard_by,
                path=self.call.path,
                by=self.call.actor,
            )
        return await self.call.afterwards() if self.call.afterwards else None


@asynccontextmanager
async def writing(
    system: System,
    request: Request,
    caller: Caller,
    operation: Operation,
    *,
    path: str = "",
    if_match: str | None = None,
) -> AsyncIterator[Write]:
    """Begin a write, which is committed at the end of the block; `path` is the object's, if not the request's."""
    async with system.database.transaction() as connection:
        rails = EmittedWithin(system.rails, connection)
        call = Call(system, request, caller, Within(connection), rails, path=path, if_match=if_match)
        yield Write(operation, connection, rails, call)


def _recorded(value: Any) -> Any:
    """Return what the audit log keeps of an object: not its secrets."""
    return {key: each for key, each in value.items() if key not in SECRETS} if isinstance(value, dict) else value
