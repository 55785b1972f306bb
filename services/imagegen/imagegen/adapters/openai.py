"""Images from an OpenAI-compatible endpoint: https://platform.openai.com/docs/api-reference/images/create."""

import asyncio
import base64
import io
import time
from json import JSONDecodeError
from typing import Any, BinaryIO

from openai import APIError, AsyncOpenAI
from openai.types import Image, ImagesResponse
from opentelemetry.trace import SpanKind, Tracer

from common.failures import Retry
from common.media.download import Downloads, Unavailable
from common.model.access import Access
from common.model.troubles import ModelError, ModelUnavailable, Troubles, refusal_of
from common.spending.calls import ModelCall, Purpose
from common.telemetry import names
from imagegen.ports import ContentRefused, Drawn
from imagegen.settings import ImageModelSettings, ImagePrice

TROUBLES = Troubles(service="imagegen", work="illustrating", answer="an image")
MOST_BYTES = 50 * 2**20  # of an image


class OpenAIPainter:
    """Asks for images one at a time; the key, the endpoint, the model and the size are those of the settings."""

    def __init__(
        self,
        client: AsyncOpenAI,
        settings: ImageModelSettings,
        downloads: Downloads,
        access: Access,
        *,
        tracer: Tracer,
    ) -> None:
        self.model = settings.openai_image_model
        self.size = settings.openai_image_size
        self._client = client
        self._downloads = downloads
        self._timeout = settings.openai_image_timeout_seconds
        self._prices = settings.openai_image_prices
        self._quality = settings.openai_image_quality
        self._access = access
        self._tracer = tracer

    async def draw(self, prompt: str, purpose: Purpose) -> Drawn:
        """Return what the model drew, within the time of the settings; of a cheaper model where a budget says so.

        Raises ContentRefused; Retry at 429, where a budget is used up, and at 401, 403 and 404, which a person has to
        put right; Reject for what the endpoint will never take; and ModelUnavailable for anything else.
        """
        model = await self._access.admitted(purpose, "image", self.model)
        attributes = {
            names.ATTRIBUTE_MODEL_OPERATION: "image_generation",
            names.ATTRIBUTE_MODEL_PROVIDER: "openai",
            names.ATTRIBUTE_MODEL_REQUESTED: model,
            names.ATTRIBUTE_POST: str(purpose.post_id),
        }
        name, started = f"image_generation {model}", time.monotonic()
        spent = (0, 0, 0.0)

        def call(outcome: str) -> ModelCall:
            return ModelCall(purpose, "image", model, outcome, time.monotonic() - started, *spent)

        with self._tracer.start_as_current_span(name, kind=SpanKind.CLIENT, attributes=attributes) as span:
            try:
                async with asyncio.timeout(self._timeout):  # the client's own bounds each read, not the whole
                    answer = await self._client.images.generate(prompt=prompt, **self._wishes(model))
                    image = _image_of(answer)
                    spent = self._spent(answer, model)
                    span.set_attribute(names.ATTRIBUTE_MODEL_INPUT_TOKENS, spent[0])
                    span.set_attribute(names.ATTRIBUTE_MODEL_OUTPUT_TOKENS, spent[1])
                    content = await self._content(image)
            except (APIError, TimeoutError, JSONDecodeError, UnicodeDecodeError, ModelUnavailable) as error:
                failure = error if isinstance(error, ModelUnavailable) else self._failure(error, model)
                outcome = "refused" if isinstance(failure, ContentRefused) else type(error).__name__
                span.set_attribute(names.ATTRIBUTE_ERROR, outcome)
                await self._access.ended(call(outcome))
                if isinstance(failure, Retry):
                    await self._access.pause(failure)
                raise failure from (None if failure is error else error)
            except asyncio.CancelledError:
                self._access.broken_off(call("CancelledError"))
                raise
        ended = call("answered")
        await self._access.ended(ended)
        return Drawn(model, content, *spent, ended.seconds)

    def _wishes(self, model: str) -> dict[str, Any]:
        wishes: dict[str, Any] = {"model": model, "size": self.size, "n": 1}
        if self._quality:
            wishes["quality"] = self._quality
        if model.startswith("dall-e-"):  # the others give base64 always, and refuse to be asked for it
            wishes["response_format"] = "b64_json"
        return wishes

    def _spent(self, answer: ImagesResponse, model: str) -> tuple[int, int, float]:
        """Return the tokens that went in and came out, and the cost, whatever the image turns out to be."""
        tokens = _count(answer.usage, "input_tokens"), _count(answer.usage, "output_tokens")
        price = self._prices.get(model, ImagePrice())
        return *tokens, (tokens[0] * price.input + tokens[1] * price.output) / 1e6 + price.image

    async def _content(self, image: Image) -> BinaryIO:
        if image.b64_json:
            try:
                return io.BytesIO(await asyncio.to_thread(base64.b64decode, image.b64_json, validate=True))
            except (TypeError, ValueError) as error:
                raise ModelUnavailable(f"the model's endpoint answered something else than an image: {error}") from None
        if not isinstance(image.url, str) or not image.url:
            raise ModelUnavailable(f"the model's endpoint answered something else than {TROUBLES.answer}")
        try:
            async with self._downloads.fetch(image.url, most_bytes=MOST_BYTES) as (file, _):
                return io.BytesIO(await asyncio.to_thread(file.read))
        except Unavailable as error:
            raise ModelUnavailable(f"the image that the endpoint points to can't be fetched: {error}") from None

    def _failure(self, error: ModelError, model: str) -> Exception:
        if refusal := refusal_of(error):
            return ContentRefused(refusal)
        return TROUBLES.failure_of(error, model, self._timeout)


def _image_of(answer: ImagesResponse) -> Image:
    images = answer.data if isinstance(answer, ImagesResponse) else None
    if not isinstance(images, list) or not images or not isinstance(images[0], Image):
        raise ModelUnavailable(f"the model's endpoint answered something else than {TROUBLES.answer}")
    return images[0]


def _count(usage: object, name: str) -> int:
    """Return a number of tokens: the client checks no answers, and endpoints count in their own way, or not at all."""
    count = getattr(usage, name, None)
    return count if isinstance(count, int) else 0
