"""Logging: one event for each call, to where the program logs, without contents and keys."""

import logging
import pickle
from collections.abc import Iterator
from typing import Any

import anyio
import pytest
import structlog

from callboard.backends.completion import Completion
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.identity import Identity
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.logging import Logging
from callboard.backends.middleware.retry import Retry
from callboard.backends.request import Request
from callboard.backends.stack import Stack, stack
from callboard.backends.usage import Usage

pytestmark = pytest.mark.anyio

WHO = Identity(provider="host", model="m")
ANSWER = Completion[None](
    message=AssistantMessage("secret words"), usage=Usage(input=10, output=4), model="m"
)


@pytest.fixture(autouse=True)
def structlog_as_it_was() -> Iterator[None]:
    """Each test begins and ends with structlog unconfigured."""
    structlog.reset_defaults()
    yield
    structlog.reset_defaults()


def answering(answer: Any = ANSWER, **options: Any) -> Stack:
    def function(_: Request[Any]) -> Any:
        if isinstance(answer, BaseException):
            raise answer
        return answer

    return stack(FunctionBackend(function), Logging(WHO, **options), Retry(1, base=0))


def without_duration(event: Any) -> dict[str, Any]:
    assert event["duration"] >= 0
    return {name: value for name, value in event.items() if name != "duration"}


async def test_a_call_is_one_event_at_debug() -> None:
    """Who asked whom, how long, how much; not what."""
    with structlog.testing.capture_logs() as events:
        await answering().generate(Request("a private question", metadata={"caller": "agent/1"}))
    (event,) = events
    assert without_duration(event) == {
        "event": "model call",
        "log_level": "debug",
        "backend": "host",
        "model": "m",
        "caller": "agent/1",
        "finish_reason": "stop",
        "input_tokens": 10,
        "output_tokens": 4,
        "model_calls": 1,
    }


async def test_a_failure_is_one_warning_without_keys() -> None:
    """With what the server said, how often it was tried, and no secret."""
    error = OverloadedError("no: api_key='canary-0123456789'", status=503, request_id="r1")
    with structlog.testing.capture_logs() as events, pytest.raises(OverloadedError):
        await answering(error).generate(Request("a private question"))
    (event,) = events
    assert without_duration(event) == {
        "event": "model call failed",
        "log_level": "warning",
        "backend": "host",
        "model": "m",
        "error": "OverloadedError",
        "reason": "no: api_key='[redacted]'",
        "status": 503,
        "request_id": "r1",
        "notes": "raised after 2 attempts: max_retries is 1",
    }


async def test_a_foreign_exception_is_logged_without_keys() -> None:
    """Its words are not ours, and are masked all the same."""
    with structlog.testing.capture_logs() as events, pytest.raises(KeyError):
        await answering(KeyError("Bearer canary-0123456789")).generate(Request("x"))
    assert "canary" not in str(events)


async def test_a_cancelled_call_is_no_warning() -> None:
    """Whoever cancels knows."""

    async def hang(_: Request[Any]) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    with structlog.testing.capture_logs() as events, anyio.move_on_after(0.01):
        await stack(FunctionBackend(hang), Logging(WHO)).generate(Request("x"))
    assert [(event["event"], event["log_level"]) for event in events] == [
        ("model call cancelled", "debug")
    ]


async def test_until_structlog_is_configured_the_standard_library_is_used(
    caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """Quiet about what goes well, by the standard library's own level; nothing goes to stdout."""
    await answering().generate(Request("x"))
    assert caplog.records == []
    with pytest.raises(OverloadedError):
        await answering(OverloadedError("down")).generate(Request("x"))
    caplog.set_level(logging.DEBUG, logger="callboard.backends")
    await answering().generate(Request("x"))
    failed, well = caplog.records
    assert failed.levelno == logging.WARNING
    assert failed.getMessage().startswith("model call failed backend='host' model='m' duration=")
    assert well.levelno == logging.DEBUG
    assert "output_tokens=4" in well.getMessage()
    assert capsys.readouterr().out == ""


async def test_a_logger_of_ones_own_gets_the_events() -> None:
    """Also one that structlog does not configure; below its level nothing is put together."""
    events: list[Any] = []
    structlog.configure(processors=[lambda *_: pytest.fail("the global one")])

    def keep(_: Any, level: str, event: Any) -> Any:
        events.append((level, event["event"]))
        raise structlog.DropEvent

    logger = structlog.wrap_logger(
        None, processors=[keep], wrapper_class=structlog.make_filtering_bound_logger(logging.INFO)
    )
    await answering(logger=logger).generate(Request("x"))
    with pytest.raises(OverloadedError):
        await answering(OverloadedError("down"), logger=logger).generate(Request("x"))
    assert events == [("warning", "model call failed")]


def test_it_pickles_with_its_names() -> None:
    """A copy logs to where its own process does."""
    assert pickle.loads(pickle.dumps(Logging(WHO, logger=structlog.get_logger()))).identity == WHO
