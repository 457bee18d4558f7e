"""Every subset of the middleware, in every order: an answer or a typed error, and never a hang."""

from collections.abc import Callable
from typing import Any

import anyio
import pytest
import trio.testing
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.sdk.trace import TracerProvider

from callboard.ambient.deadline import ambient_deadline
from callboard.backends.attempt import current_attempt
from callboard.backends.backend import Middleware
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.delta import Delta, Sink
from callboard.backends.errors import (
    AuthenticationError,
    BackendError,
    BackendTimeoutError,
    OverloadedError,
)
from callboard.backends.messages import AssistantMessage
from callboard.backends.middleware.base import Wrapper
from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit
from callboard.backends.middleware.deadline import Deadline
from callboard.backends.middleware.logging import Logging
from callboard.backends.middleware.retry import Retry
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.middleware.timeout import Timeout
from callboard.backends.middleware.tools import Tools
from callboard.backends.middleware.tracing import Tracing
from callboard.backends.middleware.usage_meter import UsageMeter
from callboard.backends.request import Request
from callboard.backends.stack import stack

TICK = {"trio": 10.0, "asyncio": 0.005}
PIECES = ["4", "2", "0", "0"]
RETRIES = 2


class BugError(Exception):
    """What is no BackendError."""


LAYERS: dict[str, Callable[[float], Middleware]] = {
    "wrapper": lambda _: Wrapper(),
    "operation": lambda _: Tracing("operation", tracer_provider=TracerProvider()),
    "attempt": lambda _: Tracing("attempt", tracer_provider=TracerProvider()),
    "untraced": lambda _: Tracing("attempt"),
    "logging": lambda _: Logging(),
    "deadline": lambda tick: Deadline(5 * tick),
    "tools": lambda _: Tools(),
    "output": lambda _: StructuredOutput(),
    "retry": lambda _: Retry(RETRIES, base=0),
    "limit": lambda _: ConcurrencyLimit(1),
    "meter": lambda _: UsageMeter(),
    "timeout": lambda tick: Timeout(2 * tick, first_delta=tick, between_deltas=tick),
}
BOUNDED = {"deadline", "timeout"}
OUTCOMES = ["answer", "down", "refused", "bug", "hang", "stall", "break"]


class Scripted:
    """A backend that does what a script says, call by call, and then answers."""

    capabilities = Capabilities(structured=("prompt",))

    def __init__(self, script: list[str]) -> None:
        self.script = list(script)
        self.calls = 0

    async def generate(self, request: Request[Any], sink: Sink | None = None) -> Completion[Any]:
        self.calls += 1
        outcome = self.script.pop(0) if self.script else "answer"
        await anyio.lowlevel.checkpoint()
        match outcome:
            case "down":
                raise OverloadedError("down")
            case "refused":
                raise AuthenticationError("no")
            case "bug":
                raise BugError
            case "hang":
                await anyio.sleep_forever()
        for piece in PIECES:
            if sink is not None:
                await sink(Delta(kind="text", text=piece))
            if outcome == "stall":
                await anyio.sleep_forever()
            if outcome == "break":
                raise OverloadedError("broke off")
        return Completion(message=AssistantMessage("".join(PIECES)))

    async def aclose(self) -> None: ...


@st.composite
def scenarios(draw: st.DrawFn) -> tuple[list[str], list[list[str]], bool]:
    names = draw(st.lists(st.sampled_from(sorted(LAYERS)), unique=True).flatmap(st.permutations))
    possible = OUTCOMES
    if not BOUNDED & set(names):  # without a bound a server that hangs is the caller's to bear
        possible = [outcome for outcome in OUTCOMES if outcome not in ("hang", "stall")]
    scripts = draw(
        st.lists(st.lists(st.sampled_from(possible), max_size=4), min_size=1, max_size=3)
    )
    return list(names), scripts, draw(st.booleans())


async def check(
    backend_name: str, names: list[str], scripts: list[list[str]], streamed: bool
) -> None:
    tick = TICK[backend_name]
    layers = [LAYERS[name](tick) for name in names]
    async with anyio.create_task_group() as group:
        for script in scripts:
            group.start_soon(check_call, layers, names, script, streamed, backend_name == "trio")
    for layer in layers:
        if isinstance(layer, ConcurrencyLimit):
            assert (layer.statistics().active, layer.statistics().waiting) == (0, 0)
        if isinstance(layer, UsageMeter):
            total = layer.snapshot().total
            assert total.calls >= total.failures + total.cancelled


async def check_call(
    layers: list[Middleware], names: list[str], script: list[str], streamed: bool, virtual: bool
) -> None:
    inner = Scripted(script)
    read: list[str] = []

    async def sink(delta: Delta) -> None:
        await anyio.lowlevel.checkpoint()
        read.append(delta.text)

    request = Request("x", output=int)
    before = ambient_deadline(), current_attempt()
    whole = stack(inner, *layers)
    try:
        completion = await whole.generate(request, sink if streamed else None)
    except BugError:
        assert "bug" in script
    except BackendTimeoutError:
        # In real time the machine itself may take too long now and then.
        assert {"hang", "stall"} & set(script) or "limit" in names or not virtual
    except BackendError:
        assert {"down", "refused", "break"} & set(script)
    else:
        assert completion.text == "4200"
        assert completion.parsed == (4200 if "output" in names else None)
        assert not streamed or read == PIECES
    assert read == PIECES[: len(read)]
    assert (ambient_deadline(), current_attempt()) == before
    assert inner.calls <= (1 + RETRIES if "retry" in names else 1)
    assert whole.capabilities == Scripted.capabilities
    await whole.aclose()


@given(scenario=scenarios())
@settings(max_examples=300, deadline=None)
def test_every_composition_keeps_the_contract_in_virtual_time(
    scenario: tuple[list[str], list[list[str]], bool],
) -> None:
    """On trio, where a hang costs nothing and a deadlock would be seen."""
    clock = trio.testing.MockClock(autojump_threshold=0)
    anyio.run(check, "trio", *scenario, backend="trio", backend_options={"clock": clock})


@pytest.mark.parametrize("use_uvloop", [False, True], ids=["asyncio", "uvloop"])
@given(scenario=scenarios())
@settings(max_examples=60, deadline=None)
def test_every_composition_keeps_the_contract_in_real_time(
    use_uvloop: bool, scenario: tuple[list[str], list[list[str]], bool]
) -> None:
    """On asyncio and uvloop, with timeouts of milliseconds."""
    anyio.run(check, "asyncio", *scenario, backend_options={"use_uvloop": use_uvloop})
