"""From a question to a reply, with what a fault does to it."""

import json

from sandbox.faults import Fault
from sandbox.model.draft import Draft, draft
from sandbox.model.filling import Filler
from sandbox.model.question import Question, Reply, count_tokens, cut_to_tokens
from sandbox.model.rewriting import Rewriter


def answer(question: Question, rewriter: Rewriter, fault: Fault | None) -> Reply:
    """Return the rewrite, in the schema that was asked for, within the tokens that were granted.

    Of the faults, `refusal`, `invalid_json`, `wrong_schema` and `truncated` spoil the reply here.
    """
    kind = fault.kind if fault else ""
    prompt_tokens = count_tokens(question.prompt) + 8
    if kind == "refusal":
        refusal = (fault and fault.message) or "I'm sorry, but I can't help with that."
        return Reply((), refusal, False, prompt_tokens, count_tokens(refusal))
    texts = []
    for index in range(question.choices):
        drafted = draft(question.source, rewriter, str(index) if index else "", writing=question.writing)
        texts.append(_content(question, drafted, kind))
    limit = question.max_tokens
    if kind == "truncated":
        limit = max(1, count_tokens(texts[0]) // 2)
    cut = limit is not None and any(count_tokens(text) > limit for text in texts)
    if limit is not None and cut:
        texts = [cut_to_tokens(text, limit) for text in texts]
    return Reply(tuple(texts), None, cut, prompt_tokens, sum(map(count_tokens, texts)))


def _content(question: Question, drafted: Draft, kind: str) -> str:
    if question.schema is None:
        return drafted.text
    if kind == "wrong_schema":
        return json.dumps({"answer": drafted.title}, ensure_ascii=False)
    filled = json.dumps(Filler(question.schema, drafted).fill(), ensure_ascii=False)
    if kind == "invalid_json":
        return f"Sure! Here is the post you asked for:\n\n{filled[: len(filled) * 2 // 3]}"
    return filled
