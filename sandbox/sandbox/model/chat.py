"""`POST /v1/chat/completions`: how a question is read and an answer is written."""

from typing import Any

from sandbox.model.errors import bad_request
from sandbox.model.formats import schema_of
from sandbox.model.question import Question, Reply, conversation, model_of, source_of, wanted


class ChatCompletions:
    """The dialect of https://platform.openai.com/docs/api-reference/chat (no streaming, no tools)."""

    name = "chat.completions"
    prompt_param = "messages"

    def read(self, body: dict[str, Any]) -> Question:
        """Return what is asked; raises a 400 in OpenAI's words."""
        model = model_of(body)
        messages = body.get("messages")
        if messages is None:
            text = "Missing required parameter: 'messages'."
            raise bad_request(text, "messages", "missing_required_parameter")
        if not isinstance(messages, list):
            raise bad_request("Invalid type for 'messages': expected an array of objects.", "messages", "invalid_type")
        if not messages:
            raise bad_request("Invalid 'messages': empty array.", "messages", "empty_array")
        if body.get("stream"):
            raise bad_request("The sandbox does not stream.", "stream", "unsupported_value")
        prompt, asked = conversation(messages, "messages", ("text",))
        wanted_format = body.get("response_format")
        described = wanted_format.get("json_schema") if isinstance(wanted_format, dict) else None
        source, writing = source_of(asked)
        return Question(
            model=model,
            prompt=prompt,
            source=source,
            writing=writing,
            schema=schema_of(wanted_format, described, "response_format", prompt),
            max_tokens=wanted(body, "max_completion_tokens") or wanted(body, "max_tokens"),
            choices=wanted(body, "n", 8) or 1,
            body=body,
        )

    def write(self, question: Question, reply: Reply, identity: str, at: int) -> dict[str, Any]:
        """Return the body of the answer: a `chat.completion` object."""
        finish = "length" if reply.cut else "stop"
        texts: tuple[str | None, ...] = (None,) if reply.refusal is not None else reply.texts
        return {
            "id": f"chatcmpl-{identity}",
            "object": "chat.completion",
            "created": at,
            "model": question.model,
            "choices": [
                {
                    "index": index,
                    "message": {"role": "assistant", "content": text, "refusal": reply.refusal, "annotations": []},
                    "logprobs": None,
                    "finish_reason": finish,
                }
                for index, text in enumerate(texts)
            ],
            "usage": {
                "prompt_tokens": reply.prompt_tokens,
                "completion_tokens": reply.completion_tokens,
                "total_tokens": reply.prompt_tokens + reply.completion_tokens,
                "prompt_tokens_details": {"cached_tokens": 0, "audio_tokens": 0},
                "completion_tokens_details": {
                    "reasoning_tokens": 0,
                    "audio_tokens": 0,
                    "accepted_prediction_tokens": 0,
                    "rejected_prediction_tokens": 0,
                },
            },
            "service_tier": "default",
            "system_fingerprint": "fp_sandbox",
        }
