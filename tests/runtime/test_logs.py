"""What the runtime logs of failures: on standard error, and without secrets."""

import logging

import pytest
import structlog

from callboard.runtime.address import Address
from callboard.runtime.errors import EscalatedError, HandlerError
from callboard.runtime.logs import log_failure

KEY = "sk-canary0123456789"


def failure() -> ValueError:
    try:
        raise ValueError(f"api_key={KEY} was refused")
    except ValueError as error:
        return error


def test_a_logged_failure_holds_no_key(caplog: pytest.LogCaptureFixture) -> None:
    """A handler's exception may quote one; its log event does not, traceback included."""
    structlog.reset_defaults()
    log_failure(Address(runtime="r", path="a"), "actor failed", failure(), action="restart")
    (record,) = caplog.records
    assert record.levelno == logging.ERROR
    text = record.getMessage()
    assert text.startswith("actor failed actor='a' error=\"ValueError('api_key=[redacted]")
    assert "Traceback" in text
    assert KEY not in text


@pytest.mark.parametrize(
    "error",
    [
        HandlerError(Address(runtime="r", path="a"), "Add", failure()),
        EscalatedError(Address(runtime="r", path="a"), failures=4, period=5.0, cause=failure()),
    ],
    ids=lambda error: type(error).__name__,
)
def test_what_quotes_a_cause_holds_no_key(error: Exception) -> None:
    """The cause itself stays as it was raised."""
    assert "[redacted] was refused" in str(error)
    assert KEY not in f"{error} {error!r}"


def test_a_chain_of_handlers_gives_its_advice_once() -> None:
    """The error that reaches the first asker tells the whole way, and is not longer than that."""
    inner = HandlerError(Address(runtime="r", path="a/b"), "Add", ValueError("three!"))
    outer = HandlerError(Address(runtime="r", path="a"), "Add", inner)
    assert str(outer).count("reply_errors") == 1
    assert "raised ValueError: three!. See .cause" in str(outer)
