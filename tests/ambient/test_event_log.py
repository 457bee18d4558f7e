"""Events go to structlog where the program uses it, else to the standard library."""

import logging
from collections.abc import Iterator

import pytest
import structlog

from callboard.ambient.event_log import EventLog

NAME = "callboard.test"


@pytest.fixture(autouse=True)
def _unconfigured() -> Iterator[None]:
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def test_without_structlog_the_standard_library_logs(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line with the fields after the event, and a traceback below it."""
    caplog.set_level(logging.DEBUG, logger=NAME)
    logger = EventLog(NAME).logger.bind(actor="a")
    logger.debug("one")
    logger.info("two", n=2)
    logger.warning("three", actor="b")
    logger.error("four", exception="Traceback ...")
    assert [(record.levelname, record.getMessage()) for record in caplog.records] == [
        ("DEBUG", "one actor='a'"),
        ("INFO", "two actor='a' n=2"),
        ("WARNING", "three actor='b'"),
        ("ERROR", "four actor='a'\nTraceback ..."),
    ]
    assert {record.filename for record in caplog.records} == {"test_event_log.py"}
    assert capsys.readouterr().out == ""


def test_structlog_is_used_once_it_is_configured() -> None:
    """Also by whoever asked for a logger before."""
    log = EventLog(NAME)
    with structlog.testing.capture_logs() as events:
        log.logger.bind(actor="a").error("down", n=1)
    assert events == [{"actor": "a", "n": 1, "event": "down", "log_level": "error"}]
