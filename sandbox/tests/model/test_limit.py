"""The limit on the rate."""

import pytest

from sandbox.model.errors import Refused
from sandbox.model.limit import Limit


def test_what_is_too_much_is_told_when_to_come_back() -> None:
    limit = Limit(requests=2, seconds=30)
    limit.take()
    limit.take()
    with pytest.raises(Refused) as raised:
        limit.take()
    assert raised.value.status == 429
    assert 29_000 < float(raised.value.headers["retry-after-ms"]) <= 30_000
    assert limit.refused == 1


def test_there_is_none_unless_it_is_asked_for() -> None:
    limit = Limit()
    for _ in range(1000):
        limit.take()
