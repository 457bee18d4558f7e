"""Retry: how often a call is sent, how long it waits, and what its error says in the end."""

import pickle
from random import Random
from typing import Any

import anyio
import pytest

from callboard.ambient.deadline import deadline_scope
from callboard.backends.attempt import current_attempt
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import AuthenticationError, OverloadedError, RateLimitError
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.retry import Retry, RetryEvent
from callboard.backends.request import Request

pytestmark = pytest.mark.anyio
VIRTUAL_TIME = True

REQUEST = Request("x")


class Flaky:
    """Fails so often, then answers; notes the number of each attempt."""

    def __init__(
        self, failures: int, error: Exception | None = None, *, deltas_before_failing: int = 0
    ) -> None:
        self.failures = failures
        self.error = error or OverloadedError("down", status=503)
        self.deltas = deltas_before_failing
        self.attempts: list[int] = []

    async def __call__(self, request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        self.attempts.append(current_attempt())
        await anyio.lowlevel.checkpoint()
        if len(self.attempts) <= self.failures:
            for _ in range(self.deltas):
                if sink is not None:
                    await sink(Delta(kind="text", text="a"))
            raise self.error
        return Completion(message=AssistantMessage("done"))


def quick(max_retries: int = 2, **options: Any) -> Retry:
    return Retry(max_retries, base=0.0, **options)


@pytest.mark.parametrize("max_retries", [0, 1, 2, 7])
async def test_a_call_is_sent_exactly_once_and_max_retries_times(max_retries: int) -> None:
    """A server that is down sees 1 + max_retries requests, and not one more."""
    inner = Flaky(10**9)
    with pytest.raises(OverloadedError) as caught:
        await quick(max_retries)(REQUEST, None, inner)
    assert inner.attempts == list(range(1, max_retries + 2))
    times = "1 attempt" if max_retries == 0 else f"{max_retries + 1} attempts"
    assert caught.value.__notes__ == [f"raised after {times}: max_retries is {max_retries}"]
    assert caught.value.__context__ is None


async def test_a_passing_failure_is_not_seen() -> None:
    """The answer of a later attempt is the answer."""
    inner = Flaky(2)
    assert (await quick()(REQUEST, None, inner)).text == "done"
    assert inner.attempts == [1, 2, 3]
    assert current_attempt() == 1


async def test_what_can_not_pass_is_not_tried_again() -> None:
    """An error that is not retryable, and what is no BackendError at all, come out at once."""
    for error in (AuthenticationError("key"), KeyError("bug"), TimeoutError("theirs")):
        inner = Flaky(1, error)
        with pytest.raises(type(error)) as caught:
            await quick()(REQUEST, None, inner)
        assert inner.attempts == [1]
        assert caught.value is error
        assert not getattr(error, "__notes__", [])


async def test_nothing_is_tried_again_once_the_reader_has_a_piece() -> None:
    """It would get the beginning twice."""
    inner = Flaky(1, deltas_before_failing=1)
    read: list[str] = []

    async def sink(delta: Delta) -> None:
        read.append(delta.text)

    with pytest.raises(OverloadedError) as caught:
        await quick()(REQUEST, sink, inner)
    assert read == ["a"]
    assert inner.attempts == [1]
    assert "handed to the sink" in caught.value.__notes__[0]


async def test_a_stream_that_fails_before_its_first_piece_is_tried_again() -> None:
    """The reader sees one whole answer."""

    async def sink(delta: Delta) -> None: ...

    assert (await quick()(REQUEST, sink, Flaky(2))).text == "done"


async def test_an_error_of_the_reader_is_never_tried_again() -> None:
    """Not even if it happens to be a retryable BackendError."""
    inner = Flaky(9, deltas_before_failing=1)

    async def sink(delta: Delta) -> None:
        raise RateLimitError("the reader's own")

    with pytest.raises(RateLimitError):
        await quick()(REQUEST, sink, inner)
    assert inner.attempts == [1]


async def test_retry_after_is_waited_for() -> None:
    """Not less than the server asked for."""
    asked = 0.02
    began = anyio.current_time()
    await quick()(REQUEST, None, Flaky(1, RateLimitError("slower", retry_after=asked)))
    assert anyio.current_time() - began >= asked * 0.9  # clocks round


async def test_a_retry_after_beyond_the_limit_is_raised_at_once() -> None:
    """Nobody sleeps for an hour unasked."""
    error = RateLimitError("slower", retry_after=3600)
    inner = Flaky(1, error)
    with pytest.raises(RateLimitError) as caught:
        await quick()(REQUEST, None, inner)
    assert inner.attempts == [1]
    assert "asks to wait 3600 s" in caught.value.__notes__[0]
    assert caught.value.retry_after == 3600


async def test_a_wait_beyond_the_deadline_raises_the_last_error_at_once() -> None:
    """It says more than a timeout later would."""
    inner = Flaky(9, RateLimitError("slower", retry_after=50))
    with (
        deadline_scope(anyio.current_time() + 20),
        pytest.raises(RateLimitError) as caught,
    ):
        await quick()(REQUEST, None, inner)
    assert inner.attempts == [1]
    assert "the deadline is in" in caught.value.__notes__[0]


async def test_waits_come_from_the_injected_dice() -> None:
    """The same seed, the same waits; they lie within the doubling span."""

    async def delays() -> list[float]:
        events: list[RetryEvent] = []
        retry = Retry(4, base=0.001, cap=0.004, random=Random(7), on_retry=events.append)
        await retry(REQUEST, None, Flaky(4))
        assert [event.attempt for event in events] == [1, 2, 3, 4]
        assert all(isinstance(event.error, OverloadedError) for event in events)
        assert all(event.request is REQUEST for event in events)
        return [event.delay for event in events]

    first = await delays()
    assert first == await delays()
    spans = [0.001, 0.002, 0.004, 0.004]
    assert all(0 <= delay <= span for delay, span in zip(first, spans, strict=True))
    assert len(set(first)) == 4


async def test_nested_calls_count_their_own_attempts() -> None:
    """A model call inside the second attempt of another one is at its first."""
    inner = Flaky(1)

    async def outer(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        if current_attempt() == 1:
            raise OverloadedError("down")
        completion = await quick()(request, None, inner)
        assert current_attempt() == 2
        return completion

    await quick()(REQUEST, None, outer)
    assert inner.attempts == [1, 2]


async def test_a_cancelled_wait_ends_at_once() -> None:
    """The wait is cancelled like any other."""
    with anyio.move_on_after(0.01) as scope:
        await Retry(1, base=0)(REQUEST, None, Flaky(1, RateLimitError("slow", retry_after=59)))
    assert scope.cancelled_caught
    assert current_attempt() == 1


async def test_a_failing_hook_ends_the_call() -> None:
    """What on_retry raises is no secret."""

    def hook(event: RetryEvent) -> None:
        raise KeyError("hook")

    with pytest.raises(KeyError):
        await quick(on_retry=hook)(REQUEST, None, Flaky(1))


def test_it_pickles_with_its_settings() -> None:
    """Copies in other processes keep the limits, and roll dice of their own."""
    copy = pickle.loads(pickle.dumps(Retry(5, base=2.0)))
    assert copy.limits == Retry(5, base=2.0).limits
