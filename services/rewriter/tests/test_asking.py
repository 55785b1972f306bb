"""How often the model is asked, and what is made of its answers. The model here is a list of replies."""

import json
from uuid import uuid4

import pytest

from common.catalog import Profile
from common.failures import Reject
from common.telegram.markdown import from_markdown
from common.testing.models import PURPOSE
from rewriter.asking import Asked, Asking
from rewriter.ports import Question, Reply
from rewriter.prompt import Brief

POST = "Мост за **3 500** рублей открыли в 2024 году: [здесь](https://example.com/a) и https://example.com/b"


class Scripted:
    """A model that gives its answers in order."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.questions: list[Question] = []

    async def ask(self, question: Question) -> Reply:
        self.questions.append(question)
        answer = {"title": "t", "hashtags": [], "language": "ru", "image_prompt": "p", "text": self.texts.pop(0)}
        return Reply(question.model, json.dumps(answer), None, "stop", 100, 10, 0.5)


async def asked_for(model: Scripted, *, keep: tuple[str, ...] = ("links", "facts"), limit: int = 4096) -> Asked:
    profile = Profile(uuid4(), "p", "", "", limit, keep, "", "")
    brief = Brief(profile=profile, markdown=POST, limit=limit)
    return await Asking(model, "m")(brief, from_markdown(POST), PURPOSE)


async def test_lost_links_are_asked_for_again() -> None:
    model = Scripted("Мост: 3500 ₽, 2024, https://example.com/a", POST)
    asked = await asked_for(model)
    assert "it lost these links: https://example.com/b" in model.questions[1].messages[1][1]
    assert [entity.kind for entity in asked.body.entities] == ["bold", "text_link"]
    assert (asked.prompt_tokens, asked.completion_tokens, asked.cost_usd) == (200, 20, 1.0)


async def test_links_lost_in_the_last_answer_too_end_the_text() -> None:
    model = Scripted(*["Мост: 3500 рублей, 2024, http://www.example.com/a/"] * 3)
    asked = await asked_for(model)
    assert asked.body.text == "Мост: 3500 рублей, 2024, http://www.example.com/a/\n\nhttps://example.com/b"
    assert len(asked.rejected) == 2


async def test_lost_figures_are_no_rewrite() -> None:
    model = Scripted(*["Мост открыли: https://example.com/a https://example.com/b"] * 3)
    with pytest.raises(Reject, match=r"3 times; the last time it lost these figures: 500, 2024$"):
        await asked_for(model)


async def test_what_the_profile_does_not_keep_may_go() -> None:
    model = Scripted("Мост открыли.")
    assert (await asked_for(model, keep=("quotes",))).body.text == "Мост открыли."


async def test_a_post_that_must_be_shortened_may_lose_figures() -> None:
    model = Scripted("Мост: https://example.com/a https://example.com/b")
    assert (await asked_for(model, limit=60)).answer


async def test_an_empty_text_is_no_answer() -> None:
    model = Scripted(" ", POST)
    await asked_for(model)
    assert "text: Value error, it is empty" in model.questions[1].messages[1][1]
