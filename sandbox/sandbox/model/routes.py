"""The HTTP side of the model endpoint: keys, errors, faults, and the two dialects."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from time import perf_counter
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.faults import Fault, Faults
from sandbox.model.answering import answer
from sandbox.model.chat import ChatCompletions
from sandbox.model.errors import Refused, context_exceeded
from sandbox.model.journal import Journal, ServedRequest
from sandbox.model.limit import Limit
from sandbox.model.question import Question, Reply
from sandbox.model.requests import ANY_REQUEST, authorise, befall, parsed
from sandbox.model.responses import Responses
from sandbox.model.rewriting import Rewriter

KINDS = (*ANY_REQUEST, "token_limit", "invalid_json", "wrong_schema", "truncated", "refusal")


class Dialect(Protocol):
    """How one endpoint puts questions and answers; `prompt_param` is what it blames for a prompt that is too long."""

    name: str
    prompt_param: str

    def read(self, body: dict[str, Any]) -> Question: ...

    def write(self, question: Question, reply: Reply, identity: str, at: int) -> dict[str, Any]: ...


@dataclass(frozen=True)
class ModelEndpoint:
    """An OpenAI-compatible endpoint.

    Faults at `model`: `rate_limit` (429 that asks to wait `seconds`), `server_error` (500, or 503 with Retry-After
    where `seconds` is given), `token_limit` (400 context_length_exceeded), `invalid_json`, `wrong_schema`, `truncated`
    (finish reason length), `refusal`, `delay` (answers after `seconds`), `hang` (never answers) and `drop` (closes the
    connection). `message` replaces the text of an error or a refusal.
    """

    rewriter: Rewriter
    faults: Faults
    key: str
    context_tokens: int
    models: tuple[str, ...]
    journal: Journal = field(default_factory=Journal)
    limit: Limit = field(default_factory=Limit)

    def routes(self) -> list[BaseRoute]:
        """Return the routes below `/v1`."""
        return [
            Route("/v1/chat/completions", self._answering(ChatCompletions()), methods=["POST"]),
            Route("/v1/responses", self._answering(Responses()), methods=["POST"]),
            Route("/v1/models", self._list_models, methods=["GET"]),
        ]

    def _answering(self, dialect: Dialect) -> Callable[[Request], Awaitable[Response]]:
        async def endpoint(request: Request) -> Response:
            started = perf_counter()
            raw = await request.body()
            identity = sha256(raw).hexdigest()[:24]
            fault: Fault | None = None
            question: Question | None = None
            reply: Reply | None = None
            try:
                authorise(request, self.key)
                self.limit.take()
                question = dialect.read(parsed(raw))
                fault = self.faults.take("model", kinds=KINDS)
                if fault:
                    await self._befall(fault, dialect, request)
                reply = answer(question, self.rewriter, fault)
                if reply.prompt_tokens > self.context_tokens:
                    raise context_exceeded(self.context_tokens, reply.prompt_tokens, dialect.prompt_param)
                at = int(datetime.now(UTC).timestamp())
                response = JSONResponse(dialect.write(question, reply, identity, at))
            except Refused as refused:
                response = refused.response()
            seconds = perf_counter() - started
            response.headers["x-request-id"] = f"req_{identity}"
            response.headers["openai-processing-ms"] = str(round(seconds * 1000))
            self._record(identity, dialect, question, reply, response.status_code, fault, seconds)
            return response

        return endpoint

    async def _befall(self, fault: Fault, dialect: Dialect, request: Request) -> None:
        if fault.kind == "token_limit":
            raise context_exceeded(self.context_tokens, self.context_tokens + 1, dialect.prompt_param, fault.message)
        await befall(fault, request)

    def _record(
        self,
        identity: str,
        dialect: Dialect,
        question: Question | None,
        reply: Reply | None,
        status: int,
        fault: Fault | None,
        seconds: float,
    ) -> None:
        answered = status == 200 and reply is not None
        self.journal.add(
            ServedRequest(
                id=f"req_{identity}",
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                endpoint=dialect.name,
                model=question.model if question else "",
                status=status,
                fault=fault.kind if fault else None,
                source=question.source if question else "",
                answer=reply.texts[0] if reply and answered and reply.texts else None,
                prompt_tokens=reply.prompt_tokens if reply and answered else 0,
                completion_tokens=reply.completion_tokens if reply and answered else 0,
                seconds=round(seconds, 6),
            )
        )

    async def _list_models(self, request: Request) -> Response:
        try:
            authorise(request, self.key)
        except Refused as refused:
            return refused.response()
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "sandbox"} for name in self.models]
        return JSONResponse({"object": "list", "data": models})
