"""UsageMeter: calls, retries, failures and tokens, counted where they are sent."""

import pickle
from typing import Any

import anyio
import pytest

from callboard.backends.completion import Completion
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.identity import Identity
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.retry import Retry
from callboard.backends.middleware.usage_meter import UsageMeter, UsageRow, UsageSnapshot
from callboard.backends.request import Request
from callboard.backends.stack import stack
from callboard.backends.usage import Usage

pytestmark = pytest.mark.anyio

USAGE = Usage(input=10, output=4, cached=3, reasoning=2)


def failing_first(failures: int) -> FunctionBackend:
    answers = iter([OverloadedError("down")] * failures)

    def function(_: Request[Any]) -> Any:
        for error in answers:
            raise error
        return Completion[None](message=AssistantMessage("hi"), usage=USAGE, model="answered")

    return FunctionBackend(function)


async def test_every_attempt_is_counted_and_what_became_of_it() -> None:
    """Calls are what was sent: the first attempts and the retries."""
    meter = UsageMeter(Identity(provider="host", model="asked"))
    backend = stack(failing_first(2), Retry(2, base=0), meter)
    await backend.generate(Request("x"))
    await backend.generate(Request("x"))
    assert meter.snapshot() == UsageSnapshot(
        rows=(
            UsageRow(
                backend="host",
                model="asked",
                calls=4,
                retries=2,
                failures=2,
                usage=USAGE + USAGE,
            ),
        )
    )


async def test_what_is_no_backend_error_is_counted_apart() -> None:
    """Cancelled calls and bugs are no failures of the model."""
    meter = UsageMeter()

    async def hang(request: Request[Any]) -> str:
        if request.metadata:
            raise KeyError
        await anyio.sleep_forever()
        raise AssertionError

    backend = stack(FunctionBackend(hang), meter)
    with anyio.move_on_after(0.01):
        await backend.generate(Request("x"))
    with pytest.raises(KeyError):
        await backend.generate(Request("x", metadata={"bug": True}))
    total = meter.snapshot().total
    assert (total.calls, total.failures, total.cancelled) == (2, 0, 2)


async def test_models_are_told_apart_by_their_answers_where_nobody_named_one() -> None:
    """A router behind one name shows all its models."""
    meter = UsageMeter(Identity(provider="router"))
    await stack(failing_first(0), meter).generate(Request("x"))
    assert [(row.backend, row.model) for row in meter.snapshot().rows] == [("router", "answered")]


async def test_several_stacks_count_into_one_snapshot() -> None:
    """Each under its own name; the total adds them up."""
    meter = UsageMeter()
    for name in ("a", "b"):
        meter_here = meter.under(Identity(provider=name, model="m"))
        await stack(failing_first(0), meter_here).generate(Request("x"))
    snapshot = meter.snapshot()
    assert [row.backend for row in snapshot.rows] == ["a", "b"]
    assert snapshot.total.usage == USAGE + USAGE
    assert snapshot.total.calls == 2


async def test_a_snapshot_is_a_value_and_reset_begins_anew() -> None:
    """Later calls don't change an earlier snapshot."""
    meter = UsageMeter()
    backend = stack(failing_first(0), meter)
    await backend.generate(Request("x"))
    before = meter.snapshot()
    await backend.generate(Request("x"))
    assert before.total.calls == 1
    assert meter.snapshot().total.calls == 2
    meter.reset()
    assert meter.snapshot().rows == ()


async def test_it_pickles_with_its_counts() -> None:
    """A worker's counts can be sent home."""
    meter = UsageMeter(Identity(provider="host", model="m"))
    await stack(failing_first(0), meter).generate(Request("x"))
    assert pickle.loads(pickle.dumps(meter)).snapshot() == meter.snapshot()
