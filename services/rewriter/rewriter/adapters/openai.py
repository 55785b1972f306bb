"""A model behind an OpenAI-compatible endpoint: https://platform.openai.com/docs/api-reference/chat."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import replace
from json import JSONDecodeError
from typing import Any

from openai import APIError, AsyncOpenAI
from openai.types.chat import ChatCompletion
from opentelemetry.trace import Span, SpanKind, Tracer

from common.failures import Retry
from common.model.access import Access
from common.model.troubles import ModelError, ModelUnavailable, Troubles, refusal_of
from common.spending.calls import ModelCall, Purpose
from common.telemetry import names
from rewriter.answer import answer_format
from rewriter.ports import Question, Reply
from rewriter.settings import OpenAISettings, Price

TROUBLES = Troubles(service="rewriter", work="rewriting", answer="a chat completion")


class OpenAIModel:
    """Asks for structured answers; the key, the endpoint and the limits are those of the settings."""

    def __init__(self, client: AsyncOpenAI, settings: OpenAISettings, access: Access, *, tracer: Tracer) -> None:
        self._client = client
        self._timeout = settings.openai_timeout_seconds
        self._prices = settings.openai_prices
        self._format = {"response_format": answer_format()}
        self._access = access
        self._tracer = tracer

    async def allowed(self, purpose: Purpose, model: str) -> None:
        """Raise Retry where a budget that is used up allows no question."""
        await self._access.allowed(purpose, "chat", model)

    async def ask(self, question: Question) -> Reply:
        """Return the reply, within the time of the settings; of a cheaper model where a budget says so.

        Raises Retry at 429, where a budget is used up, and at 401, 403 and 404, which a person has to put right; Reject
        for what the endpoint will never take, such as a post that is too long for the model; and ModelUnavailable for
        anything else.
        """
        question = replace(question, model=await self._access.admitted(question.purpose, "chat", question.model))
        attributes = {
            names.ATTRIBUTE_MODEL_OPERATION: "chat",
            names.ATTRIBUTE_MODEL_PROVIDER: "openai",
            names.ATTRIBUTE_MODEL_REQUESTED: question.model,
            names.ATTRIBUTE_POST: str(question.purpose.post_id),
        }
        name, started = f"chat {question.model}", time.monotonic()
        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
            try:
                async with asyncio.timeout(self._timeout):  # the client's own bounds each read, not the whole
                    completion = await self._create(question)
                    reply = self._read(question, completion, span)
            except (APIError, TimeoutError, JSONDecodeError, ModelUnavailable) as error:
                refusal = None if isinstance(error, ModelUnavailable) else refusal_of(error)
                outcome = "refused" if refusal else type(error).__name__
                span.set_attribute(names.ATTRIBUTE_ERROR, outcome)
                await self._access.ended(self._call(question, outcome, started))
                if refusal:
                    return Reply(question.model, "", refusal, "content_filter", 0, 0, 0.0)
                failure = await self._failure(question, error)
                raise failure from (None if failure is error else error)
            except asyncio.CancelledError:
                self._access.broken_off(self._call(question, "CancelledError", started))
                raise
        await self._access.ended(
            self._call(question, "answered" if reply.refusal is None else "refused", started, reply)
        )
        return reply

    @staticmethod
    def _call(question: Question, outcome: str, started: float, reply: Reply | None = None) -> ModelCall:
        spent = (reply.prompt_tokens, reply.completion_tokens, reply.cost_usd) if reply else (0, 0, 0.0)
        return ModelCall(question.purpose, "chat", question.model, outcome, time.monotonic() - started, *spent)

    async def _create(self, question: Question) -> ChatCompletion:
        messages: Any = [{"role": role, "content": content} for role, content in question.messages]
        # The schema goes in as it is: as a parameter the client would walk through it again with every call.
        return await self._client.chat.completions.create(
            model=question.model, messages=messages, extra_body=self._format
        )

    def _read(self, question: Question, completion: ChatCompletion, span: Span) -> Reply:
        if not isinstance(completion, ChatCompletion) or not completion.choices:
            raise ModelUnavailable(f"the model's endpoint answered something else than {TROUBLES.answer}")
        choice, usage = completion.choices[0], completion.usage
        spent = (usage.prompt_tokens, usage.completion_tokens) if usage else (0, 0)
        cost = cost_usd(self._prices, question.model, *spent)
        span.set_attribute(names.ATTRIBUTE_MODEL_ANSWERED, completion.model)
        span.set_attribute(names.ATTRIBUTE_MODEL_FINISH, [choice.finish_reason])
        span.set_attribute(names.ATTRIBUTE_MODEL_INPUT_TOKENS, spent[0])
        span.set_attribute(names.ATTRIBUTE_MODEL_OUTPUT_TOKENS, spent[1])
        refusal = choice.message.refusal
        if choice.finish_reason == "content_filter":
            refusal = refusal or "the endpoint's content filter stopped the answer"
        return Reply(question.model, choice.message.content or "", refusal, choice.finish_reason, *spent, cost)

    async def _failure(self, question: Question, error: ModelError | ModelUnavailable) -> Exception:
        if isinstance(error, ModelUnavailable):
            return error
        failure = TROUBLES.failure_of(error, question.model, self._timeout)
        if isinstance(failure, Retry):
            await self._access.pause(failure)
        return failure


def cost_usd(prices: Mapping[str, Price], model: str, prompt_tokens: int, completion_tokens: int) -> float:
    """Return what a call costs: nothing where the price of the model is not known. Discounts are not counted."""
    price = prices.get(model)
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6 if price else 0.0
