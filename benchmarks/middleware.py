"""What each middleware adds to a call, in CPU microseconds, over a backend that does nothing.

    python benchmarks/middleware.py [--backend asyncio|uvloop|trio] [--calls 2000] [--rounds 15]
    python benchmarks/middleware.py --quick --json FILE

All contenders take turns in every round, and the best round of each counts. The first lines are the
yardstick of the machine: one anyio cancel scope with a deadline, which Deadline and Timeout need.
"""

import argparse
import json
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import anyio
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from callboard.backends.backend import Middleware
from callboard.backends.capabilities import Capabilities
from callboard.backends.completion import Completion
from callboard.backends.default_stack import default_stack
from callboard.backends.delta import Delta, Sink
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
from callboard.backends.usage import Usage

DELTAS = 100
REQUEST = Request("hello")
ANSWER = Completion[None](message=AssistantMessage("hi"), usage=Usage(input=9, output=1))
DELTA = Delta(kind="text", text="word ")

Contender = Callable[[int], Awaitable[None]]


class Nothing:
    """Answers at once; with a sink, in a hundred pieces."""

    capabilities = Capabilities()

    async def generate(self, _request: Request[Any], sink: Sink | None = None) -> Completion[Any]:
        if sink is not None:
            for _ in range(DELTAS):
                await sink(DELTA)
        return ANSWER

    async def aclose(self) -> None: ...


async def read(delta: Delta) -> None:
    """Take a delta, and do nothing with it."""


def calls(*layers: Middleware, sink: Sink | None = None) -> Contender:
    generate = stack(Nothing(), *layers).generate
    return calling(generate, sink)


def calling(generate: Any, sink: Sink | None = None) -> Contender:
    async def run(count: int) -> None:
        for _ in range(count):
            await generate(REQUEST, sink)

    return run


async def now(count: int) -> None:
    for _ in range(count):
        anyio.current_time()


async def scopes(count: int) -> None:
    deadline = anyio.current_time() + 1000
    for _ in range(count):
        with anyio.CancelScope(deadline=deadline):  # noqa: ASYNC100 - its bare cost is the point
            pass


class Discarding(SpanExporter):
    """Takes finished spans, and forgets them: what an exporter costs is its own affair."""

    def export(self, _spans: Sequence[ReadableSpan]) -> SpanExportResult:
        return SpanExportResult.SUCCESS

    def shutdown(self) -> None: ...


def recording() -> TracerProvider:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Discarding()))
    return provider


def whole_calls(provider: TracerProvider) -> dict[str, Contender]:
    return {
        "no middleware": calls(),
        "Wrapper": calls(Wrapper()),
        "Tracing, off": calls(Tracing("attempt")),
        "Tracing, recorded": calls(Tracing("attempt", tracer_provider=provider)),
        "Logging, quiet": calls(Logging()),
        "Deadline": calls(Deadline()),
        "Tools": calls(Tools()),
        "StructuredOutput": calls(StructuredOutput()),
        "Retry": calls(Retry()),
        "ConcurrencyLimit": calls(ConcurrencyLimit(8)),
        "UsageMeter": calls(UsageMeter()),
        "Timeout": calls(Timeout()),
        "default stack, off": calling(default_stack(Nothing()).generate),
        "default stack, recorded": calling(
            default_stack(Nothing(), tracer_provider=provider).generate
        ),
    }


def streams() -> dict[str, Contender]:
    timeout = Timeout(300, first_delta=60, between_deltas=60)
    return {
        "no middleware": calls(sink=read),
        "Retry": calls(Retry(), sink=read),
        "Timeout, attempt": calls(Timeout(300), sink=read),
        "Timeout, all three": calls(timeout, sink=read),
        "default stack, off": calling(default_stack(Nothing()).generate, read),
    }


async def measure(contenders: dict[str, Contender], count: int, rounds: int) -> dict[str, float]:
    """Return the best CPU microseconds per call of each."""
    best = dict.fromkeys(contenders, float("inf"))
    order = list(contenders)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            began = time.process_time()
            await contenders[name](count)
            best[name] = min(best[name], (time.process_time() - began) / count * 1e6)
            await anyio.sleep(0.001)
    return best


def show(title: str, best: dict[str, float], per: int = 1) -> None:
    floor = best["no middleware"]
    print(f"\n{title}")
    for name, cost in best.items():
        print(f"  {name:26}{cost / per:8.2f}{(cost - floor) / per:+9.2f}")


async def main(count: int, rounds: int) -> dict[str, dict[str, float]]:
    yardstick = await measure({"anyio.current_time()": now, "cancel scope": scopes}, count, rounds)
    print("the machine: " + ", ".join(f"{name} {cost:.2f} us" for name, cost in yardstick.items()))
    provider = recording()
    whole = await measure(whole_calls(provider), count, rounds)
    show("one call: us, and added us", whole)
    streamed = await measure(streams(), max(1, count // 20), rounds)
    show(f"one of {DELTAS} deltas: us, and added us", streamed, DELTAS)
    return {"machine": yardstick, "call": whole, "stream": streamed}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--backend", choices=["asyncio", "uvloop", "trio"], default="asyncio")
    parser.add_argument("--calls", type=int, default=2000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="a tenth of the calls, three rounds")
    parser.add_argument("--json", type=Path, help="also write the figures here")
    options = parser.parse_args()
    figures = anyio.run(
        main,
        options.calls // 10 if options.quick else options.calls,
        3 if options.quick else options.rounds,
        backend="trio" if options.backend == "trio" else "asyncio",
        backend_options={"use_uvloop": True} if options.backend == "uvloop" else {},
    )
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")
