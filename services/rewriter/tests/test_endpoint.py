"""An endpoint that a person has to put right: nothing is lost, and nothing is asked in vain."""

import pytest

from common.events import NotifyRequested

POST = "Мост открыли в 2024 году: https://example.com/bridge"


@pytest.fixture
def wrong_key(model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key that the endpoint does not accept."""
    monkeypatch.setenv("OPENAI_API_KEY", "sk-wrong-wrong-wrong")


@pytest.fixture
def impatience(model, monkeypatch: pytest.MonkeyPatch) -> None:
    """A timeout that a hanging endpoint reaches soon."""
    monkeypatch.setenv("OPENAI_TIMEOUT_SECONDS", "0.3")


@pytest.mark.usefixtures("wrong_key", "rewriter")
async def test_a_wrong_key_sends_nothing_to_the_dead_letters(stage, model) -> None:
    await stage.route()
    first = await stage.job(await stage.collected(await stage.post(POST)), "queued")
    assert "does not accept OPENAI_API_KEY" in first["last_error"]
    assert "sk-wrong" not in first["last_error"]
    others = [await stage.collected(await stage.post(f"{number} мостов открыли в городе")) for number in range(20)]
    for event in others:
        job = await stage.job(event, "queued")
        assert (job["excused"], job["last_error"]) == (1, first["last_error"])
    assert model.calls == 1
    (message,) = await stage.heard("notify.requested")
    notice = NotifyRequested.model_validate_json(message.data)
    assert (notice.kind, notice.severity) == ("rewriter.unauthorised", "error")
    assert not [subject for subject in stage.told if subject.startswith("dlq.")]


@pytest.mark.usefixtures("impatience", "rewriter")
async def test_an_endpoint_that_hangs_is_given_up_and_asked_again(stage, model) -> None:
    await stage.route()
    model.fault("hang")
    job = await stage.done(POST)
    assert (job["status"], job["attempts"], job["excused"]) == ("succeeded", 2, 0)
    assert job["last_error"] == "ModelUnavailable: the model gave no answer within 0.3 s"
