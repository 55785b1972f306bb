"""`POST /v1/images/generations`: https://platform.openai.com/docs/api-reference/images/create (no streaming)."""

import asyncio
import base64
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from hashlib import sha256
from time import perf_counter
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from sandbox.faults import Fault, Faults
from sandbox.model.drawing import SPOILED, draw
from sandbox.model.errors import Refused
from sandbox.model.journal import Journal, ServedRequest
from sandbox.model.limit import Limit
from sandbox.model.question import count_tokens
from sandbox.model.requests import ANY_REQUEST, authorise, befall, parsed
from sandbox.model.wishes import Wish, read_wish

KINDS = (*ANY_REQUEST, "content_policy", *SPOILED)
TOKENS = {"low": 272, "medium": 1056, "high": 4160}  # of 1024x1024: https://platform.openai.com/docs/guides/images
HUNG = 50  # pictures behind URLs that are kept


@dataclass(frozen=True)
class ImageEndpoint:
    """Draws. Knows the models by their names, since each takes other sizes.

    Faults at `images`, or at `model`, which befall both endpoints: `rate_limit`, `server_error`, `delay`, `hang` and
    `drop` as those of the text model; `content_policy` (400, refused by the safety system; `message` replaces its
    words), and in place of the picture `invalid_image` (bytes that mean nothing), `truncated_image` (its first half),
    `svg`, `html`, `bomb` (a small PNG of 3.6 billion pixels) and `large` (a true PNG of 20 MB).
    """

    faults: Faults
    key: str
    models: tuple[str, ...]
    journal: Journal = field(default_factory=Journal)
    limit: Limit = field(default_factory=Limit)
    hung: deque[tuple[str, bytes]] = field(default_factory=lambda: deque(maxlen=HUNG))

    def routes(self) -> list[BaseRoute]:
        """Return the routes: the endpoint, and the pictures that its URLs lead to."""
        return [
            Route("/v1/images/generations", self._generate, methods=["POST"]),
            Route("/images/{name}", self._show, methods=["GET"]),
        ]

    async def _generate(self, request: Request) -> Response:
        started = perf_counter()
        raw = await request.body()
        identity = sha256(raw).hexdigest()[:24]
        wish: Wish | None = None
        fault: Fault | None = None
        try:
            authorise(request, self.key)
            self.limit.take()
            wish = read_wish(parsed(raw), self.models)
            fault = self.faults.take("images", kinds=KINDS) or self.faults.take("model", kinds=KINDS)
            if fault:
                await befall(fault, request)
                _refuse(fault, wish)
            pictures = await asyncio.gather(*(self._draw(wish, number, fault) for number in range(wish.number)))
            response = JSONResponse(self._written(wish, pictures, request))
        except Refused as refused:
            response = refused.response()
        seconds = perf_counter() - started
        response.headers["x-request-id"] = f"req_{identity}"
        response.headers["openai-processing-ms"] = str(round(seconds * 1000))
        answered = wish is not None and response.status_code == 200
        self.journal.add(
            ServedRequest(
                id=f"req_{identity}",
                at=datetime.now(UTC).isoformat(timespec="milliseconds"),
                endpoint="images.generations",
                model=wish.model if wish else "",
                status=response.status_code,
                fault=fault.kind if fault else None,
                source=wish.prompt if wish else "",
                answer=f"{wish.number} × {wish.size} {wish.output_format}" if wish and answered else None,
                prompt_tokens=count_tokens(wish.prompt) if wish and answered else 0,
                completion_tokens=drawn_tokens(wish) if wish and answered else 0,
                seconds=round(seconds, 6),
            )
        )
        return response

    async def _draw(self, wish: Wish, number: int, fault: Fault | None) -> bytes:
        prompt = f"{wish.prompt}\n{number}" if number else wish.prompt
        kind = fault.kind if fault else None
        return await asyncio.to_thread(draw, prompt, wish.width, wish.height, wish.output_format, kind)

    def _written(self, wish: Wish, pictures: list[bytes], request: Request) -> dict[str, Any]:
        data: list[dict[str, str]] = []
        for content in pictures:
            if wish.as_url:
                name = f"{sha256(content).hexdigest()[:32]}.png"
                self.hung.append((name, content))
                data.append({"url": f"{request.base_url}images/{name}"})
            else:
                data.append({"b64_json": base64.b64encode(content).decode()})
            if wish.model == "dall-e-3":
                data[-1]["revised_prompt"] = wish.prompt
        answer: dict[str, Any] = {"created": int(datetime.now(UTC).timestamp()), "data": data}
        return answer | _described(wish) if wish.of_gpt else answer

    async def _show(self, request: Request) -> Response:
        wanted = request.path_params["name"]
        for name, content in self.hung:
            if name == wanted:
                return Response(content, media_type="image/png")
        return Response(status_code=404)


def drawn_tokens(wish: Wish) -> int:
    """Return about how many tokens the pictures of a wish take."""
    per_picture = TOKENS.get(wish.quality, TOKENS["medium"]) * wish.width * wish.height / 1024**2
    return round(per_picture) * wish.number


def _described(wish: Wish) -> dict[str, Any]:
    """Return what GPT image models say of their pictures."""
    asked, drawn = count_tokens(wish.prompt), drawn_tokens(wish)
    return {
        "background": "opaque",
        "output_format": wish.output_format,
        "size": wish.size,
        "quality": "medium" if wish.quality == "auto" else wish.quality,
        "usage": {
            "input_tokens": asked,
            "output_tokens": drawn,
            "total_tokens": asked + drawn,
            "input_tokens_details": {"text_tokens": asked, "image_tokens": 0},
            "output_tokens_details": {"text_tokens": 0, "image_tokens": drawn},
        },
    }


def _refuse(fault: Fault, wish: Wish) -> None:
    if fault.kind != "content_policy":
        return
    if wish.of_gpt:
        text = fault.message or "Your request was rejected by the safety system."
        raise Refused(400, text, kind="image_generation_user_error", code="moderation_blocked")
    text = fault.message or "Your request was rejected as a result of our safety system."
    raise Refused(400, text, code="content_policy_violation")
