"""`POST /v1/responses`: how a question is read and an answer is written."""

from typing import Any

from sandbox.model.errors import bad_request
from sandbox.model.formats import schema_of
from sandbox.model.question import Question, Reply, conversation, model_of, source_of, wanted


class Responses:
    """The dialect of https://platform.openai.com/docs/api-reference/responses (no streaming, no tools, no state)."""

    name = "responses"
    prompt_param = "input"

    def read(self, body: dict[str, Any]) -> Question:
        """Return what is asked; raises a 400 in OpenAI's words."""
        model = model_of(body)
        given = body.get("input")
        if body.get("stream") or body.get("background"):
            raise bad_request("The sandbox neither streams nor works in the background.", "stream", "unsupported_value")
        if isinstance(given, str):
            prompt, asked = given, given
        elif isinstance(given, list) and given:
            messages = [{"role": "user", **item} if isinstance(item, dict) else item for item in given]
            prompt, asked = conversation(messages, "input", ("input_text", "output_text", "text"))
        elif given is None or given == []:
            raise bad_request("Missing required parameter: 'input'.", "input", "missing_required_parameter")
        else:
            raise bad_request("Invalid type for 'input': expected a string or an array.", "input", "invalid_type")
        instructions = body.get("instructions")
        if isinstance(instructions, str):
            prompt = f"{instructions}\n{prompt}"
        text = body.get("text")
        wanted_format = text.get("format") if isinstance(text, dict) else None
        source, writing = source_of(asked)
        return Question(
            model=model,
            prompt=prompt,
            source=source,
            writing=writing,
            schema=schema_of(wanted_format, wanted_format, "text.format", prompt),
            max_tokens=wanted(body, "max_output_tokens"),
            choices=1,
            body=body,
        )

    def write(self, question: Question, reply: Reply, identity: str, at: int) -> dict[str, Any]:
        """Return the body of the answer: a `response` object."""
        body = question.body
        status = "incomplete" if reply.cut else "completed"
        part: dict[str, Any]
        if reply.refusal is not None:
            part = {"type": "refusal", "refusal": reply.refusal}
        else:
            part = {"type": "output_text", "text": reply.texts[0], "annotations": [], "logprobs": []}
        text = body.get("text")
        return {
            "id": f"resp_{identity}",
            "object": "response",
            "created_at": at,
            "status": status,
            "background": False,
            "error": None,
            "incomplete_details": {"reason": "max_output_tokens"} if reply.cut else None,
            "instructions": body.get("instructions"),
            "max_output_tokens": question.max_tokens,
            "model": question.model,
            "output": [
                {"id": f"msg_{identity}", "type": "message", "role": "assistant", "status": status, "content": [part]}
            ],
            "parallel_tool_calls": True,
            "previous_response_id": None,
            "reasoning": {"effort": None, "summary": None},
            "store": bool(body.get("store", True)),
            "temperature": body.get("temperature", 1.0),
            "text": text if isinstance(text, dict) else {"format": {"type": "text"}},
            "tool_choice": "auto",
            "tools": [],
            "top_p": body.get("top_p", 1.0),
            "truncation": "disabled",
            "usage": {
                "input_tokens": reply.prompt_tokens,
                "input_tokens_details": {"cached_tokens": 0, "cache_write_tokens": 0},
                "output_tokens": reply.completion_tokens,
                "output_tokens_details": {"reasoning_tokens": 0},
                "total_tokens": reply.prompt_tokens + reply.completion_tokens,
            },
            "metadata": body.get("metadata") or {},
        }
