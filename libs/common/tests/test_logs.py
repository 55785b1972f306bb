"""Logs: JSON lines that say what they are about."""

import json
import logging
from collections.abc import Iterator

import pytest
from structlog.contextvars import bound_contextvars

from common.telemetry.logs import configure_logs


@pytest.fixture
def root() -> Iterator[logging.Logger]:
    """The root logger, left as it was."""
    logger = logging.getLogger()
    handlers, level = logger.handlers, logger.level
    yield logger
    logger.handlers, logger.level = handlers, level


def test_a_line_has_what_is_bound_and_no_secret(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("api", level="INFO", secrets=["a-known-secret"])
    with bound_contextvars(request_id="from-the-caller"):
        logging.getLogger("api.http").info("GET %s", "/a\r\nfake line", extra={"token": "a-known-secret"})
    logging.getLogger("api.http").info("later")
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["request_id"] == "from-the-caller"
    assert first["event"] == "GET /a\r\nfake line"
    assert (first["service"], first["level"], first["token"]) == ("api", "info", "[redacted]")
    assert "request_id" not in second
    assert root.level == logging.INFO
