"""Deadline: one bound around a whole call, and around all that is done on its behalf."""

import math
from typing import Any

import anyio
import pytest

from callboard.ambient.deadline import ambient_deadline, deadline_scope
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import BackendTimeoutError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.middleware.retry import Retry
from callboard.backends.request import Request
from callboard.backends.stack import Stack, stack

pytestmark = pytest.mark.anyio
VIRTUAL_TIME = True


class Inner:
    """The inside of a stack that notes the deadlines it sees."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.deadlines: list[float] = []

    async def __call__(self, request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        self.deadlines.append(ambient_deadline())
        await anyio.sleep(self.pause)
        return Completion(message=AssistantMessage("done"))


def hanging(*middleware: Any) -> Stack:
    async def hang(_: Request[Any]) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    return stack(FunctionBackend(hang), *middleware)


@pytest.mark.parametrize(
    ("own", "asked", "around", "expected"),
    [
        (50.0, None, math.inf, 50.0),
        (50.0, 20.0, math.inf, 20.0),
        (50.0, 70.0, math.inf, 70.0),
        (50.0, None, 30.0, 30.0),
        (50.0, 20.0, 30.0, 20.0),
        (50.0, 40.0, 30.0, 30.0),
        (None, None, 30.0, 30.0),
        (None, 20.0, math.inf, 20.0),
        (None, None, math.inf, math.inf),
    ],
)
async def test_the_earliest_bound_holds(
    own: float | None, asked: float | None, around: float, expected: float
) -> None:
    """The request's timeout or else the default, and never beyond the ambient deadline."""
    inner = Inner()
    now = anyio.current_time()
    with deadline_scope(now + around):
        await Deadline(own)(Request("x", timeout=asked), None, inner)
        assert ambient_deadline() == now + around
    assert inner.deadlines[0] == pytest.approx(now + expected, abs=5)


async def test_the_ambient_deadline_is_restored_after_a_failure() -> None:
    """Nothing leaks into the caller's context, whichever way the call ends."""

    async def fail(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        raise KeyError

    with pytest.raises(KeyError):
        await Deadline(5)(Request("x"), None, fail)
    with pytest.raises(BackendTimeoutError):
        await Deadline(0.01)(Request("x"), None, Inner(1000))
    assert ambient_deadline() == math.inf


async def test_a_call_that_takes_too_long_says_what_to_raise() -> None:
    """The error names the bound that passed, and is not to be retried."""
    with pytest.raises(BackendTimeoutError, match=r"Deadline\(timeout=0.01\) passed") as caught:
        await hanging(Deadline(0.01)).generate(Request("x"))
    assert not caught.value.retryable
    with pytest.raises(TimeoutError, match=r"Request\(timeout=0.02\) passed"):
        await hanging(Deadline(60)).generate(Request("x", timeout=0.02))
    with (
        deadline_scope(anyio.current_time() + 0.01),
        pytest.raises(BackendTimeoutError, match="the deadline around it passed"),
    ):
        await hanging(Deadline(60)).generate(Request("x"))


@pytest.mark.parametrize("by", ["request", "ambient"])
async def test_a_deadline_in_the_past_fails_before_anything_is_sent(by: str) -> None:
    """Not even the first step inside is taken."""
    inner = Inner()
    past = anyio.current_time() - (1 if by == "ambient" else -1000)
    timeout = 0.0 if by == "request" else 5.0
    with deadline_scope(past), pytest.raises(BackendTimeoutError, match="nothing was sent"):
        await Deadline()(Request("x", timeout=timeout), None, inner)
    assert inner.deadlines == []


async def test_retries_and_their_waits_are_inside() -> None:
    """The deadline bounds all attempts together."""
    calls: list[int] = []

    def down(_: Request[Any]) -> str:
        calls.append(1)
        raise BackendTimeoutError("slow", retryable=True)

    retry = Retry(10**6, base=0.001, cap=0.001)
    with pytest.raises(BackendTimeoutError):
        await stack(FunctionBackend(down), Deadline(0.1), retry).generate(Request("x"))
    assert 1 < len(calls) < 10**6


async def test_the_sink_is_inside() -> None:
    """A reader that never comes back does not hold a call past its deadline."""

    async def stuck(delta: Delta) -> None:
        await anyio.sleep_forever()

    backend = stack(FunctionBackend(lambda _: "some text"), Deadline(0.01))
    with pytest.raises(BackendTimeoutError):
        await backend.generate(Request("x"), stuck)


async def test_a_timeout_error_from_inside_is_no_deadline() -> None:
    """A TimeoutError of a tool or client comes out as it is."""

    def fail(_: Request[Any]) -> str:
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs") as caught:
        await stack(FunctionBackend(fail), Deadline(60)).generate(Request("x"))
    assert not isinstance(caught.value, BackendTimeoutError)


async def test_a_cancellation_from_outside_is_no_deadline() -> None:
    """Whoever cancels a call catches the cancellation, and no error is made of it."""
    with anyio.move_on_after(0.01) as scope:
        await hanging(Deadline(1000)).generate(Request("x"))
    assert scope.cancelled_caught


async def test_a_nested_deadline_can_only_narrow() -> None:
    """A tool that calls a model gets what is left, whatever it asks for."""
    inner = Inner()

    async def nested(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        return await Deadline(1000)(Request("y", timeout=900), sink, inner)

    await Deadline(10)(Request("x"), None, nested)
    assert inner.deadlines[0] == pytest.approx(anyio.current_time() + 10, abs=5)


@pytest.mark.parametrize("timeout", [-1.0, math.nan])
def test_a_timeout_is_a_number_of_seconds(timeout: float) -> None:
    """Nonsense is refused where it is written."""
    with pytest.raises(ValueError, match="timeout must be a number of seconds"):
        Deadline(timeout)
