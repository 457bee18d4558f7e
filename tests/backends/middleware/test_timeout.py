"""Timeout: attempts and silences are bounded, and the reader's own time is not counted."""

import math
from collections.abc import Sequence
from typing import Any

import anyio
import pytest

from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import BackendTimeoutError
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.timeout import Timeout
from callboard.backends.request import Request

pytestmark = pytest.mark.anyio
VIRTUAL_TIME = True

REQUEST = Request("x")
LONG = 1000.0


@pytest.fixture
def tick(anyio_backend: tuple[str, object]) -> float:
    """A duration that is safely told from its multiples: virtual on trio, real elsewhere."""
    return 10.0 if anyio_backend[0] == "trio" else 0.02


class Paced:
    """Sends one delta after each pause; one more pause comes before the end."""

    def __init__(self, *pauses: float) -> None:
        self.pauses: Sequence[float] = pauses
        self.calls = 0

    async def __call__(self, request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        self.calls += 1
        *before_deltas, before_end = self.pauses
        for number, pause in enumerate(before_deltas):
            await anyio.sleep(pause)
            if sink is not None:
                await sink(Delta(kind="text", text=str(number)))
        await anyio.sleep(before_end)
        return Completion(message=AssistantMessage("done"))


class Reader:
    """A sink that takes its time."""

    def __init__(self, pause: float = 0.0) -> None:
        self.pause = pause
        self.read: list[str] = []

    async def __call__(self, delta: Delta) -> None:
        if self.pause:
            await anyio.sleep(self.pause)
        self.read.append(delta.text)


async def test_an_attempt_that_takes_too_long_may_be_tried_again(tick: float) -> None:
    """The error is retryable, and says what to raise."""
    with pytest.raises(BackendTimeoutError, match=r"Timeout\(attempt=") as caught:
        await Timeout(tick)(REQUEST, None, Paced(LONG))
    assert caught.value.retryable


async def test_an_attempt_in_time_is_left_alone(tick: float) -> None:
    """Its completion comes through."""
    completion = await Timeout(100 * tick)(REQUEST, None, Paced(tick))
    assert completion.text == "done"


async def test_streaming_does_not_lift_the_attempts_timeout(tick: float) -> None:
    """Deltas that keep coming don't make an attempt endless."""
    reader = Reader()
    with pytest.raises(BackendTimeoutError, match="the attempt was not finished"):
        await Timeout(5 * tick)(REQUEST, reader, Paced(*[tick] * 1000))
    assert 1 <= len(reader.read) <= 6


async def test_the_first_delta_has_a_timeout_of_its_own(tick: float) -> None:
    """A server that accepts the call and then says nothing is given up early."""
    timeout = Timeout(LONG, first_delta=10 * tick)
    with pytest.raises(BackendTimeoutError, match="nothing of the answer arrived") as caught:
        await timeout(REQUEST, Reader(), Paced(LONG, 0))
    assert caught.value.retryable
    assert (await timeout(REQUEST, Reader(), Paced(0, 15 * tick))).text == "done"
    assert (await timeout(REQUEST, None, Paced(0, 15 * tick))).text == "done"


@pytest.mark.parametrize("pauses", [(0, LONG, 0), (0, 0, LONG)], ids=["middle", "end"])
async def test_a_silence_in_the_middle_is_given_up(tick: float, pauses: tuple[float, ...]) -> None:
    """Also one after the last delta, when only the end is missing."""
    timeout = Timeout(LONG, between_deltas=tick)
    with pytest.raises(BackendTimeoutError, match="stopped in the middle"):
        await timeout(REQUEST, Reader(), Paced(*pauses))


async def test_each_delta_starts_the_silence_anew(tick: float) -> None:
    """A slow and steady answer may take many times the timeout."""
    reader = Reader()
    timeout = Timeout(LONG, between_deltas=12 * tick)
    await timeout(REQUEST, reader, Paced(*[2 * tick] * 10))
    assert reader.read == [str(n) for n in range(9)]


@pytest.mark.parametrize("limits", [(10.0, None, None), (None, 10.0, 10.0), (10.0, 10.0, 10.0)])
async def test_the_readers_time_is_not_counted(
    tick: float, limits: tuple[float | None, float | None, float | None]
) -> None:
    """A reader much slower than all timeouts together ends no attempt."""
    attempt, first, between = (None if share is None else share * tick for share in limits)
    reader = Reader(15 * tick)
    timeout = Timeout(attempt, first_delta=first, between_deltas=between)
    await timeout(REQUEST, reader, Paced(0, 0, 0))
    assert reader.read == ["0", "1"]


async def test_after_a_slow_reader_the_clock_goes_on(tick: float) -> None:
    """It is stopped only while the reader has the delta."""
    reader = Reader(3 * tick)
    with pytest.raises(BackendTimeoutError, match="stopped in the middle"):
        await Timeout(None, between_deltas=tick)(REQUEST, reader, Paced(0, LONG, 0))
    assert reader.read == ["0"]


async def test_the_readers_exception_comes_out_as_it_is(tick: float) -> None:
    """Before and after its first wait."""

    async def at_once(delta: Delta) -> None:
        raise KeyError("reader")

    async def later(delta: Delta) -> None:
        await anyio.sleep(tick)
        raise KeyError("reader")

    for reader in (at_once, later):
        with pytest.raises(KeyError):
            await Timeout(LONG, between_deltas=LONG)(REQUEST, reader, Paced(0, LONG))


async def test_a_reader_may_catch_its_own_cancellation(tick: float) -> None:
    """A timeout that the reader sets itself works inside it as anywhere."""
    caught: list[bool] = []

    async def reader(delta: Delta) -> None:
        with anyio.move_on_after(tick) as scope:
            await anyio.sleep(LONG)
        await anyio.lowlevel.checkpoint()
        caught.append(scope.cancelled_caught)

    await Timeout(LONG, between_deltas=LONG)(REQUEST, reader, Paced(0, 0))
    assert caught == [True]


async def test_a_cancellation_while_the_reader_waits_reaches_it(tick: float) -> None:
    """It may clean up, and the one who cancelled catches it."""
    ended: list[str] = []

    async def reader(delta: Delta) -> None:
        try:
            await anyio.sleep(LONG)
        finally:
            ended.append("cleaned")

    with anyio.move_on_after(tick) as scope:
        await Timeout(LONG, between_deltas=LONG)(REQUEST, reader, Paced(0, 0))
    assert scope.cancelled_caught
    assert ended == ["cleaned"]


async def test_foreign_timeouts_and_cancellations_are_not_mistaken(tick: float) -> None:
    """A TimeoutError from inside stays as it is, and an outer scope's end is its own."""

    async def fail(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        raise TimeoutError("theirs")

    with pytest.raises(TimeoutError, match="theirs") as caught:
        await Timeout(LONG)(REQUEST, None, fail)
    assert not isinstance(caught.value, BackendTimeoutError)
    for sink in (None, Reader()):
        with anyio.move_on_after(tick) as scope:
            await Timeout(LONG)(REQUEST, sink, Paced(LONG))
        assert scope.cancelled_caught


async def test_without_limits_nothing_is_wrapped() -> None:
    """The caller's own sink goes on, untouched."""
    given: list[object] = []

    async def inner(request: Request[Any], sink: Sink | None = None, /) -> Completion[Any]:
        given.append(sink)
        return Completion(message=AssistantMessage("done"))

    reader = Reader()
    await Timeout(None)(REQUEST, reader, inner)
    await Timeout(None)(REQUEST, None, inner)
    assert given == [reader, None]


@pytest.mark.parametrize("name", ["attempt", "first_delta", "between_deltas"])
@pytest.mark.parametrize("timeout", [-1.0, math.nan])
def test_a_timeout_is_a_number_of_seconds(name: str, timeout: float) -> None:
    """Nonsense is refused where it is written."""
    with pytest.raises(ValueError, match=f"{name} must be a number of seconds"):
        Timeout(**{name: timeout})
