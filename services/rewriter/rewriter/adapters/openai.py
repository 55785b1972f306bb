"""A model behind an OpenAI-compatible endpoint: https://platform.openai.com/docs/api-reference/chat."""

import asyncio
import time
from collections.abc import Mapping
from json import JSONDecodeError
from typing import Any

from openai import APIError, AsyncOpenAI
from openai.types.chat import ChatCompletion
from opentelemetry.trace import Span, SpanKind, Tracer

from common.failures import Retry
from common.model.gate import Gate
from common.model.metering import ModelMetrics
from common.model.troubles import ModelError, ModelUnavailable, Troubles, refusal_of
from common.telemetry import names
from rewriter.answer import answer_format
from rewriter.ports import Question, Reply
from rewriter.settings import OpenAISettings, Price

TROUBLES = Troubles(service="rewriter", work="rewriting", answer="a chat completion")


class OpenAIModel:
    """Asks for structured answers; the key, the endpoint and the limits are those of the settings."""

    def __init__(self, client: AsyncOpenAI, settings: OpenAISettings, *, tracer: Tracer, metrics: ModelMetrics) -> None:
        self._client = client
        self._timeout = settings.openai_timeout_seconds
        self._prices = settings.openai_prices
        self._format = {"response_format": answer_format()}
        self._gate = Gate()
        self._tracer = tracer
        self._metrics = metrics

    async def ask(self, question: Question) -> Reply:
        """Return the reply, within the time of the settings.

        Raises Retry at 429, and at 401, 403 and 404, which a person has to put right; Reject for what the endpoint will
        never take, such as a post that is too long for the model; and ModelUnavailable for anything else.
        """
        await self._gate.passed()
        attributes = {
            names.ATTRIBUTE_MODEL_OPERATION: "chat",
            names.ATTRIBUTE_MODEL_PROVIDER: "openai",
            names.ATTRIBUTE_MODEL_REQUESTED: question.model,
            names.ATTRIBUTE_POST: str(question.post_id),
        }
        name, started = f"chat {question.model}", time.monotonic()
        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
            try:
                async with asyncio.timeout(self._timeout):  # the client's own bounds each read, not the whole
                    completion = await self._create(question)
                    reply = self._read(question, completion, span)
            except (APIError, TimeoutError, JSONDecodeError) as error:
                outcome = type(error).__name__
                span.set_attribute(names.ATTRIBUTE_ERROR, outcome)
                self._metrics.called(question.model, outcome, time.monotonic() - started)
                return self._failed(question, error)
        outcome = "answered" if reply.refusal is None else "refused"
        self._metrics.called(question.model, outcome, time.monotonic() - started)
        return reply

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
        self._metrics.spent(question.model, *spent, cost)
        span.set_attribute(names.ATTRIBUTE_MODEL_ANSWERED, completion.model)
        span.set_attribute(names.ATTRIBUTE_MODEL_FINISH, [choice.finish_reason])
        span.set_attribute(names.ATTRIBUTE_MODEL_INPUT_TOKENS, spent[0])
        span.set_attribute(names.ATTRIBUTE_MODEL_OUTPUT_TOKENS, spent[1])
        refusal = choice.message.refusal
        if choice.finish_reason == "content_filter":
            refusal = refusal or "the endpoint's content filter stopped the answer"
        return Reply(choice.message.content or "", refusal, choice.finish_reason, *spent, cost)

    def _failed(self, question: Question, error: ModelError) -> Reply:
        if refusal := refusal_of(error):
            return Reply("", refusal, "content_filter", 0, 0, 0.0)
        failure = TROUBLES.failure_of(error, question.model, self._timeout)
        if isinstance(failure, Retry):
            self._gate.close(failure.after, str(failure))
        raise failure from error


def cost_usd(prices: Mapping[str, Price], model: str, prompt_tokens: int, completion_tokens: int) -> float:
    """Return what a call costs: nothing where the price of the model is not known. Discounts are not counted."""
    price = prices.get(model)
    return (prompt_tokens * price.prompt + completion_tokens * price.completion) / 1e6 if price else 0.0
