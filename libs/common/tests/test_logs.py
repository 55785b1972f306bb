"""Logs: JSON lines that say what they are about."""

import io
import json
import logging
from collections.abc import Iterator
from uuid import uuid4

import pytest
from structlog.contextvars import bound_contextvars

from common.telemetry.logs import SERVICE, JsonLines, configure_logs, json_lines, logged_about


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


def test_work_that_is_no_job_says_its_post_and_trace(root: logging.Logger, capsys: pytest.CaptureFixture[str]) -> None:
    configure_logs("publisher", level="INFO", secrets=[])
    post, trace = uuid4(), "0af7651916cd43dd8448eb211c80319c"
    with logged_about(post, f"00-{trace}-b7ad6b7169203331-01"):
        root.warning("within")
    with logged_about(None, None):
        root.warning("about nothing")
    within, without = map(json.loads, capsys.readouterr().out.splitlines())
    assert (within["post_id"], within["trace_id"]) == (str(post), trace)
    assert not {"post_id", "trace_id"} & without.keys()


def test_each_service_of_a_process_gets_its_own_serious_records(root: logging.Logger) -> None:
    configure_logs("together", level="INFO", secrets=["a-known-secret"])
    output = json_lines()
    assert isinstance(output, JsonLines)
    told: dict[str, list[str]] = {"first": [], "second": []}
    with (
        output.tapped("first", lambda event: told["first"].append(event["event"])),
        output.tapped("second", lambda event: told["second"].append(event["event"])),
    ):
        root.warning("of nobody")
        for name in told:
            token = SERVICE.set(name)
            root.info("not serious")
            root.error("of %s, a-known-secret", name)
            SERVICE.reset(token)
    root.error("nobody listens")
    assert told == {"first": ["of nobody", "of first, [redacted]"], "second": ["of second, [redacted]"]}


def test_an_output_that_is_gone_stops_nobody(root: logging.Logger) -> None:
    configure_logs("api", level="INFO", secrets=[])
    output = json_lines()
    assert output
    assert root.handlers == [output]
    gone = io.StringIO()
    gone.close()
    output.setStream(gone)
    output.write([b"{}"])
