"""Tools: the one tool loop. It runs what the model calls, until the model answers."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import anyio

from callboard.backends import telemetry
from callboard.backends.backend import Generate
from callboard.backends.completion import Completion, Step
from callboard.backends.delta import Sink
from callboard.backends.errors import CapabilityError, ToolError
from callboard.backends.messages import ToolCall
from callboard.backends.middleware.base import Wrapper
from callboard.backends.onward import capabilities_of
from callboard.backends.request import Request
from callboard.backends.step_sink import StepSink
from callboard.backends.steps import steps_of, totalled
from callboard.backends.tool import Tool
from callboard.backends.tool_execution import ToolExecution, ToolOutcome
from callboard.backends.tool_turn import next_move, resumed

if TYPE_CHECKING:
    from opentelemetry.trace import TracerProvider

    from callboard.backends.spans import SpanSource


class Tools(Wrapper):
    """Runs the tools that the model calls, shows it their results, and goes on until it answers.

    The calls of one turn run concurrently, and their results keep the calls' order. Async tools
    run in the event loop, sync ones in threads; context variables reach both. Bad arguments, an
    unknown tool, an exception and a timeout are told to the model as that call's result, and never
    cost the others theirs. Tools without a function are external: a turn that calls one goes back
    to the caller, and nothing of it is run. Every turn is a new step; usage is summed. Cancelling
    the call cancels its tools (a thread is abandoned, since threads can't be stopped), and the
    ambient deadline bounds them.

    Args:
        max_rounds: Turns of tool calls that one request may take.
        timeout: Seconds for one tool call, where the tool names none; None for no limit.
        max_output: Characters of a result that the model gets to see; the rest is cut off.
        parallel: Whether the calls of one turn run concurrently, or one after the other.
        max_threads: Sync tools that run at the same time, in each event loop.
        tracer_provider: Makes the spans, `execute_tool NAME`; OpenTelemetry's global one when None.

    Raises:
        ValueError: If a limit is out of its range.
    """

    def __init__(
        self,
        max_rounds: int = 8,
        *,
        timeout: float | None = 60.0,
        max_output: int = 20_000,
        parallel: bool = True,
        max_threads: int = 32,
        tracer_provider: "TracerProvider | None" = None,
    ) -> None:
        if max_rounds < 0 or max_output < 1 or max_threads < 1:
            raise ValueError(
                "max_rounds must be 0 or more, max_output and max_threads 1 or more; got "
                f"{max_rounds=}, {max_output=}, {max_threads=}"
            )
        if timeout is not None and not timeout > 0:
            raise ValueError(f"timeout must be a number of seconds above 0, got {timeout!r}")
        self.max_rounds = max_rounds
        self.parallel = parallel
        self._execution = ToolExecution(
            timeout=timeout, max_output=max_output, max_threads=max_threads
        )
        self._spans = _spans(tracer_provider)

    async def __call__(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        """Answer one request, tools and all.

        Raises:
            ToolError: If the model calls tools for more than `max_rounds` turns, or two tools of
                the request share a name.
            CapabilityError: If the backend declares that it can't call tools.
            BackendTimeoutError: If the ambient deadline passes while a tool runs.
        """
        if not request.tools:
            return await call_next(request, sink)
        return await self._converse(request, sink, call_next)

    def __reduce__(self) -> tuple[Any, ...]:
        """Crosses process boundaries with its settings, and then speaks to the global provider."""
        how = self._execution
        return _rebuild, (
            type(self), self.max_rounds, how.timeout, how.max_output, self.parallel, how.max_threads
        )  # fmt: skip

    async def _converse(
        self, request: Request[Any], sink: Sink | None, call_next: Generate
    ) -> Completion[Any]:
        tools = _by_name(request.tools)
        if capabilities_of(call_next).tools == "no":
            raise CapabilityError(
                f"the backend can't call tools, and the request offers {', '.join(tools)}: take "
                "the tools out, or ask another model"
            )
        steps = None if sink is None else StepSink(sink)
        past: tuple[Step, ...] = ()
        rounds = 0
        completion = await call_next(request, steps)
        while next_move(completion, tools, rounds, self.max_rounds).kind == "execute":
            past = (*past, *steps_of(request, completion))
            rounds += 1
            results = await self._run_all(completion, tools)
            if steps is not None:
                await steps.tell_results(completion.message.tool_calls, results)
                await steps.begin_step()
            request = resumed(request, completion, results)
            completion = await call_next(request, steps)
        return totalled(completion, (*past, *steps_of(request, completion))) if past else completion

    async def _run_all(
        self, completion: Completion[Any], tools: Mapping[str, Tool]
    ) -> Sequence[str]:
        """Run a turn's calls; return their results in the calls' order."""
        calls = completion.message.tool_calls
        cut_off = completion.finish_reason == "length"
        outcomes: dict[int, ToolOutcome] = {}

        async def run(index: int, call: ToolCall) -> None:
            outcomes[index] = await self._traced(call, tools, cut_off=cut_off)

        if self.parallel and len(calls) > 1:
            async with anyio.create_task_group() as group:
                for index, call in enumerate(calls):
                    group.start_soon(run, index, call)
        else:
            for index, call in enumerate(calls):
                await run(index, call)
        for outcome in outcomes.values():
            if outcome.fatal is not None:
                raise outcome.fatal
        return [outcomes[index].text for index in range(len(calls))]

    async def _traced(
        self, call: ToolCall, tools: Mapping[str, Tool], *, cut_off: bool
    ) -> ToolOutcome:
        span = self._spans.open(suffix=call.name, extra=_attributes(call))
        if span is None:
            return await self._execution.run(call, tools, cut_off=cut_off)
        try:
            outcome = await self._execution.run(call, tools, cut_off=cut_off)
            if outcome.error is not None:
                span.fail(outcome.error)
        except BaseException as error:
            span.fail(error)
            raise
        else:
            return outcome
        finally:
            span.close()


def _spans(tracer_provider: "TracerProvider | None") -> "SpanSource":
    from callboard.backends.spans import SpanSource  # noqa: PLC0415 - see there

    return SpanSource(
        telemetry.EXECUTE_TOOL,
        client=False,
        attributes={telemetry.OPERATION_NAME: telemetry.EXECUTE_TOOL},
        tracer_provider=tracer_provider,
    )


def _by_name(tools: Sequence[Tool]) -> Mapping[str, Tool]:
    found = {tool.name: tool for tool in tools}
    if len(found) < len(tools):
        names = [tool.name for tool in tools]
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ToolError(
            f"the request has several tools named {', '.join(twice)}: give each a name of its own "
            "with tool(..., name=...)"
        )
    return found


def _attributes(call: ToolCall) -> Mapping[str, str]:
    return {
        telemetry.TOOL_NAME: call.name,
        telemetry.TOOL_CALL_ID: call.id,
        telemetry.TOOL_TYPE: "function",
    }


def _rebuild(
    cls: type[Tools],
    max_rounds: int,
    timeout: float | None,
    max_output: int,
    parallel: bool,
    max_threads: int,
) -> Tools:
    return cls(
        max_rounds,
        timeout=timeout,
        max_output=max_output,
        parallel=parallel,
        max_threads=max_threads,
    )
