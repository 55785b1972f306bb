"""The gate before an endpoint that asked for a pause."""

import asyncio

import pytest

from common.failures import Retry
from common.model.gate import Gate


async def test_a_gate_lets_pass_when_it_opens() -> None:
    gate = Gate()
    await gate.passed()
    gate.close(0.05, "wait")
    loop = asyncio.get_running_loop()
    started = loop.time()
    await gate.passed()
    assert loop.time() - started >= 0.05


async def test_a_gate_that_stays_closed_sends_away() -> None:
    gate = Gate()
    gate.close(300, "a wrong key")
    gate.close(1, "busy")
    with pytest.raises(Retry, match="a wrong key") as raised:
        await gate.passed()
    assert 299 < raised.value.after < 331
    assert raised.value.notice is None
