"""default_stack(): the recommended order, its options, and no key in anything it emits."""

import logging
import pickle
from itertools import repeat
from random import Random
from typing import Any

import anyio
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from callboard.ambient.deadline import deadline_scope
from callboard.backends.backend import Backend
from callboard.backends.completion import Completion
from callboard.backends.default_stack import default_stack
from callboard.backends.errors import BackendError, BackendTimeoutError, OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.backends.identity import Identity, identify
from callboard.backends.messages import AssistantMessage, ToolCall
from callboard.backends.middleware.concurrency_limit import ConcurrencyLimit
from callboard.backends.middleware.retry import Retry
from callboard.backends.middleware.usage_meter import UsageMeter
from callboard.backends.random_backend import RandomBackend
from callboard.backends.request import Request
from callboard.backends.scripted_backend import ScriptedBackend
from callboard.backends.stack import stack
from callboard.backends.streaming import stream

pytestmark = pytest.mark.anyio

ORDER = (
    "Tracing Logging Deadline Tools StructuredOutput Retry ConcurrencyLimit UsageMeter Tracing "
    "Timeout"
)
QUICK = Retry(2, base=0.0)


def layers(**options: Any) -> str:
    backend = default_stack(FunctionBackend(lambda _: "x"), **options)
    return " ".join(type(layer).__name__ for layer in backend.middleware)


def test_the_order_is_the_documented_one() -> None:
    """Outermost first."""
    assert layers() == ORDER
    assert layers(max_concurrency=None) == ORDER.replace("ConcurrencyLimit ", "")


async def test_tools_outputs_and_retries_work_together() -> None:
    """A failure, a tool turn, an invalid answer and its repair lie behind one typed answer."""
    answers: list[Any] = [
        OverloadedError("down"),
        AssistantMessage(None, (ToolCall(id="1", name="double", arguments='{"n": 21}'),)),
        "no number",
        OverloadedError("down"),
        "42",
    ]

    def function(_: Request[Any]) -> Any:
        answer = answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer

    def double(n: int) -> int:
        """Double a number."""
        return 2 * n

    meter = UsageMeter()
    backend = default_stack(
        FunctionBackend(function, model="m"), retry=QUICK, usage_meter=meter, max_concurrency=1
    )
    completion = await backend.generate(Request("21 doubled?", tools=[double], output=int))
    assert completion.parsed == 42
    assert len(completion.steps) == 3
    total = meter.snapshot().total
    assert (total.calls, total.retries, total.failures) == (5, 2, 2)
    assert total.usage == completion.usage


async def test_one_deadline_bounds_everything() -> None:
    """The whole call's, whatever an attempt may take; an ask's deadline around it counts too."""

    async def hang(_: Request[Any]) -> str:
        await anyio.sleep_forever()
        raise AssertionError

    backend = default_stack(FunctionBackend(hang))
    with pytest.raises(BackendTimeoutError, match="Request"):
        await backend.generate(Request("x", timeout=0.02))
    with (
        deadline_scope(anyio.current_time() + 0.02),
        pytest.raises(BackendTimeoutError, match="around it"),
    ):
        await backend.generate(Request("x"))


async def test_a_server_that_is_down_sees_no_more_than_it_must() -> None:
    """1 + max_retries requests, whatever else is in the stack."""
    calls: list[int] = []

    def down(_: Request[Any]) -> str:
        calls.append(1)
        raise OverloadedError("down", status=503, retry_after=0)

    with pytest.raises(OverloadedError):
        await default_stack(FunctionBackend(down), retry=Retry(4, base=0)).generate(
            Request("x", output=int)
        )
    assert len(calls) == 5


async def test_deltas_of_all_steps_reach_the_reader_in_order() -> None:
    """A repair is announced by a reset, and its deltas belong to the next step."""
    answers = ["no number", "42"]
    backend = default_stack(FunctionBackend(lambda _: answers.pop(0)))
    async with stream(backend, Request("x", output=int)) as deltas:
        seen = [(delta.step, delta.kind, delta.text) async for delta in deltas]
    assert seen == [(0, "text", "no"), (0, "text", " number"), (1, "reset", ""), (1, "text", "42")]
    assert deltas.completion.parsed == 42


async def test_limits_and_meters_are_shared_between_stacks() -> None:
    """One instance in two stacks is one."""
    limit, meter = ConcurrencyLimit(2), UsageMeter()
    for model in ("a", "b"):
        backend = default_stack(
            FunctionBackend(lambda _: "x", model=model), max_concurrency=limit, usage_meter=meter
        )
        await backend.generate(Request("x"))
    assert limit.statistics().peak == 1
    assert [row.model for row in meter.snapshot().rows] == ["a", "b"]


async def test_no_key_in_logs_spans_or_errors(caplog: pytest.LogCaptureFixture) -> None:
    """A backend that quotes its headers betrays nothing."""
    caplog.set_level(logging.DEBUG)
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))

    def betray(_: Request[Any]) -> str:
        raise OverloadedError(
            "503 for {'Authorization': 'Bearer canary-0123456789'} at https://h/?api-key=canary-1",
            body='{"api_key": "canary-0123456789"}',
        )

    backend = default_stack(FunctionBackend(betray), retry=QUICK, tracer_provider=provider)
    with pytest.raises(BackendError) as caught:
        await backend.generate(Request("x"))
    spans = "".join(span.to_json() for span in exporter.get_finished_spans())
    error = f"{caught.value!r} {caught.value.__dict__} {caught.value.__notes__}"
    assert len(exporter.get_finished_spans()) == 4
    assert "canary" not in caplog.text + spans + error
    assert "[redacted]" in caplog.text


async def test_it_closes_the_backend() -> None:
    """The stack owns it."""
    closed: list[str] = []

    class Closing(FunctionBackend):
        async def aclose(self) -> None:
            closed.append("yes")

    async with default_stack(Closing(lambda _: "x")):
        pass
    assert closed == ["yes"]


async def test_it_pickles() -> None:
    """Whole stacks travel to workers."""
    copy = pickle.loads(pickle.dumps(default_stack(RandomBackend(seed=1), retry=Retry(5))))
    assert " ".join(type(layer).__name__ for layer in copy.middleware) == ORDER
    assert (await copy.generate(Request("x", output=bool))).parsed in (True, False)


def test_injected_dice_travel_too() -> None:
    """A seeded retry stays reproducible."""
    copy = pickle.loads(pickle.dumps(Retry(1, random=Random(3))))
    assert copy._random.random() == Random(3).random()


def test_a_backend_is_identified_by_what_it_says_of_itself() -> None:
    """Name and model where it has them, its class where not, and through a stack."""

    class Bare:
        capabilities: Any = None

        async def generate(self, request: Any, sink: Any = None) -> Completion[Any]:
            raise NotImplementedError

        async def aclose(self) -> None: ...

    class Named(Bare):
        name = "host"
        model = "m"
        in_process = True

    assert identify(Bare()) == Identity(provider="Bare")
    assert identify(stack(stack(Named()))) == Identity(provider="host", model="m", in_process=True)


@pytest.mark.parametrize(
    "backend",
    [ScriptedBackend(repeat("yes")), FunctionBackend(lambda _: "yes"), RandomBackend(seed=1)],
    ids=lambda backend: type(backend).__name__,
)
async def test_the_spans_of_a_double_are_no_clients(backend: Backend) -> None:
    """What answers in this process calls nobody, and its spans say so."""
    provider, exporter = TracerProvider(), InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    await default_stack(backend, tracer_provider=provider).generate(Request("x"))
    assert [span.kind for span in exporter.get_finished_spans()] == [SpanKind.INTERNAL] * 2
