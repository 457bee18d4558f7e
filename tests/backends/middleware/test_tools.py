"""Tools: the loop, what it runs, what it tells the model, and how it ends."""

import contextvars
import math
import pickle
import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.from_thread
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from callboard.ambient import ambient_deadline, deadline_scope
from callboard.backends import (
    AssistantMessage,
    BackendTimeoutError,
    Capabilities,
    CapabilityError,
    Completion,
    Delta,
    RandomBackend,
    Request,
    ScriptedBackend,
    Tool,
    ToolCall,
    ToolError,
    ToolMessage,
    Usage,
    stack,
    tool,
)
from callboard.backends.middleware.structured_output import StructuredOutput
from callboard.backends.middleware.tools import Tools

pytestmark = pytest.mark.anyio


async def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def shout(text: str) -> str:
    """Shout."""
    return text.upper()


def fail(why: str) -> str:
    """Fail."""
    raise RuntimeError(why)


def calls(*wanted: tuple[str, str], text: str | None = None) -> AssistantMessage:
    """Make a message that calls tools: pairs of name and arguments."""
    return AssistantMessage(
        text,
        tuple(
            ToolCall(id=f"c{index}", name=name, arguments=arguments)
            for index, (name, arguments) in enumerate(wanted)
        ),
    )


def results(request: Request) -> list[str]:
    """Read the tool messages at the end of a request."""
    return [m.content for m in request.messages if isinstance(m, ToolMessage)]


async def run(
    *wanted: tuple[str, str], tools: list[Any], layer: Tools | None = None, **options: Any
) -> list[str]:
    """Let a model call tools once, and return what it was told."""
    backend = ScriptedBackend([calls(*wanted), "done"])
    with anyio.fail_after(20):
        await stack(backend, layer or Tools()).generate(Request("go", tools=tools, **options))
    return results(backend.requests[-1])


async def test_the_loop_runs_until_the_model_answers() -> None:
    """Arguments are coerced, results come back in order, steps and usage cover every turn."""
    first = Completion(message=calls(("add", '{"a": 1, "b": "2"}')), usage=Usage(input=1, output=2))
    second = Completion(message=calls(("shout", '{"text": "x"}'), ("add", '{"a": 3, "b": 4}')))
    last = Completion(message=AssistantMessage("7"), usage=Usage(input=10, output=20))
    backend = ScriptedBackend([first, second, last])
    completion = await stack(backend, Tools()).generate(Request("go", tools=[add, shout]))
    assert completion.text == "7"
    assert completion.usage == Usage(input=11, output=22)
    assert [len(step.messages) for step in completion.steps] == [1, 3, 6]
    assert results(backend.requests[-1]) == ["3", "X", "7"]
    assert backend.requests[-1].messages[1] is first.message


async def test_without_tools_nothing_is_touched() -> None:
    """The request goes on as it is, and a call that nobody offered is the caller's business."""
    backend = ScriptedBackend([calls(("ghost", "{}"))])
    request = Request("go")
    completion = await stack(backend, Tools()).generate(request)
    assert backend.requests[0] is request
    assert completion.message.tool_calls


@pytest.mark.parametrize(
    ("name", "arguments", "told"),
    [
        ("ghost", "{}", "there is no tool 'ghost'; the tools are add, shout, fail"),
        ("add", '{"a": 1', "no valid JSON"),
        ("add", "", "the arguments are empty"),
        ("add", "   ", "the arguments are empty"),
        ("add", "null", "got None"),
        ("add", "[1, 2]", "got [1, 2]"),
        ("add", '{"a": 1}', "b: field required"),
        ("add", '{"a": 1, "b": "x"}', "b: input should be a valid integer"),
        ("add", '{"a": 1, "b": 2, "c": 3}', "c: extra inputs are not permitted"),
        ("fail", '{"why": "no disk"}', "'fail' failed: RuntimeError: no disk"),
        ("fail", '{"why": "api_key=sk-abcdefghijkl"}', "[redacted]"),
    ],
)
async def test_failures_are_told_to_the_model(name: str, arguments: str, told: str) -> None:
    """And the sibling's result is not lost."""
    wanted = [(name, arguments), ("shout", '{"text": "still here"}')]
    first, second = await run(*wanted, tools=[add, shout, fail])
    assert first.startswith("error: ")
    assert told in first
    assert second == "STILL HERE"


async def test_arguments_cut_off_at_the_token_limit_are_told_so() -> None:
    """The model is advised to pass less."""
    cut = Completion(message=calls(("shout", '{"text": "aaa')), finish_reason="length")
    backend = ScriptedBackend([cut, "sorry"])
    await stack(backend, Tools()).generate(Request("go", tools=[shout]))
    assert "cut off at the token limit: pass less" in results(backend.requests[-1])[0]


async def test_empty_arguments_are_fine_for_a_tool_that_takes_none() -> None:
    """Many servers send the empty string there."""

    def now() -> str:
        """Tell the time."""
        return "noon"

    assert await run(("now", ""), tools=[now]) == ["noon"]


async def test_calls_of_one_turn_run_concurrently() -> None:
    """Each waits for the other; async and sync ones alike."""
    met = anyio.Event()
    lock = threading.Barrier(2, timeout=10)

    async def wait() -> str:
        """Wait."""
        await met.wait()
        return "met"

    async def meet() -> str:
        """Meet."""
        met.set()
        return "set"

    def join() -> str:
        """Join."""
        lock.wait()
        return "joined"

    told = await run(
        ("wait", ""), ("meet", ""), ("join", ""), ("join", ""), tools=[wait, meet, join]
    )
    assert told == ["met", "set", "joined", "joined"]


async def test_calls_may_run_one_after_the_other() -> None:
    """In the order of the calls."""
    seen: list[str] = []

    async def note(word: str) -> None:
        """Note."""
        await anyio.lowlevel.checkpoint()
        seen.append(word)

    wanted = [("note", f'{{"word": "{word}"}}') for word in "abc"]
    assert await run(*wanted, tools=[note], layer=Tools(parallel=False)) == ["null"] * 3
    assert seen == ["a", "b", "c"]


async def test_sync_tools_run_in_threads_with_the_callers_context() -> None:
    """Context variables cross, the loop's deadline does not, and the loop can be called back."""
    variable = contextvars.ContextVar("variable", default="unset")
    variable.set("crossed")
    loop_thread = threading.get_ident()

    def look() -> list[Any]:
        """Look."""
        called_back = anyio.from_thread.run(anyio.lowlevel.checkpoint)
        free = math.isinf(ambient_deadline())
        return [variable.get(), threading.get_ident() != loop_thread, free, called_back]

    with deadline_scope(anyio.current_time() + 60):
        assert await run(("look", ""), tools=[look]) == ['["crossed",true,true,null]']
        assert not math.isinf(ambient_deadline())


@pytest.mark.parametrize("own", [True, False])
async def test_a_slow_tool_is_stopped_alone(own: bool) -> None:
    """By its own timeout or the middleware's; its sibling's result arrives."""
    ended: list[str] = []

    async def hang() -> None:
        """Hang."""
        try:
            await anyio.sleep_forever()
        finally:
            ended.append("cancelled")

    # The sibling's own time is ample: a busy machine may take long to start a thread.
    layer = Tools(timeout=60.0 if own else 0.01)
    slow = tool(timeout=0.01 if own else None)(hang)
    quick = tool(timeout=60.0)(shout)
    told = await run(("hang", ""), ("shout", '{"text": "a"}'), tools=[slow, quick], layer=layer)
    assert told == ["error: 'hang' was stopped because it took longer than 0.01 seconds", "A"]
    assert ended == ["cancelled"]


async def test_a_slow_thread_is_abandoned() -> None:
    """The call goes on; the thread ends when it ends."""
    release = threading.Event()

    def block() -> None:
        """Block."""
        release.wait(10)

    try:
        told = await run(("block", ""), tools=[block], layer=Tools(timeout=0.01))
    finally:
        release.set()
    assert "took longer than 0.01 seconds" in told[0]


@pytest.mark.parametrize("count", [1, 2])
async def test_the_deadline_ends_the_whole_call(count: int) -> None:
    """It is no tool's own timeout, so the model is not asked again."""

    async def hang() -> None:
        """Hang."""
        await anyio.sleep_forever()

    backend = ScriptedBackend([calls(*[("hang", "")] * count)])
    with deadline_scope(anyio.current_time() + 0.02), pytest.raises(BackendTimeoutError):
        await stack(backend, Tools()).generate(Request("go", tools=[hang]))


async def test_cancelling_the_call_cancels_its_tools() -> None:
    """Nothing keeps running, and the cancellation is not swallowed."""
    started, ended = anyio.Event(), []

    async def hang() -> None:
        """Hang."""
        started.set()
        try:
            await anyio.sleep_forever()
        finally:
            ended.append(True)

    backend = ScriptedBackend([calls(("hang", ""), ("hang", ""))])
    async with anyio.create_task_group() as group:
        group.start_soon(stack(backend, Tools()).generate, Request("go", tools=[hang]))
        await started.wait()
        group.cancel_scope.cancel()
    assert len(ended) in (1, 2)
    assert len(backend.requests) == 1


async def test_a_long_result_is_cut_off() -> None:
    """And says so, so that the model asks for less."""
    told = await run(
        ("shout", '{"text": "%s"}' % ("a" * 50)), tools=[shout], layer=Tools(max_output=10)
    )
    assert told == ["AAAAAAAAAA\n[cut off: these are the first 10 of 50 characters]"]


async def test_results_become_text() -> None:
    """Strings as they are, everything else as JSON, and what is no JSON as an error."""

    class Row(BaseModel):
        n: int

    def give(kind: str) -> Any:
        """Give."""
        return {"row": [Row(n=1)], "none": None, "object": object(), "bytes": b"\xff"}[kind]

    kinds = ["row", "none", "object", "bytes"]
    told = await run(*[("give", f'{{"kind": "{kind}"}}') for kind in kinds], tools=[give])
    assert told[:2] == ['[{"n":1}]', "null"]
    assert "TypeError: its result, of type object, can't be written as JSON" in told[2]
    assert told[3].startswith("error: ")


async def test_too_many_rounds_are_an_error() -> None:
    """After exactly max_rounds of them; with 0 there is none."""
    backend = ScriptedBackend(calls(("shout", '{"text": "a"}')) for _ in range(10))
    with pytest.raises(ToolError, match=r"still calls tools \(shout\) after 2 rounds"):
        await stack(backend, Tools(max_rounds=2)).generate(Request("go", tools=[shout]))
    assert len(backend.requests) == 3


async def test_external_tools_go_back_to_the_caller() -> None:
    """The turn comes back whole, and nothing of it has run."""
    external = Tool(name="ask_human", parameters={"type": "object", "properties": {}})
    ran: list[int] = []

    def note() -> None:
        """Note."""
        ran.append(1)

    message = calls(("note", ""), ("ask_human", "{}"))
    backend = ScriptedBackend([calls(("note", "")), message])
    completion = await stack(backend, Tools()).generate(Request("go", tools=[note, external]))
    assert completion.message is message
    assert len(completion.steps) == 2
    assert ran == [1]


@pytest.mark.parametrize("choice", ["required", "shout"])
async def test_a_required_tool_is_required_once(choice: str) -> None:
    """Else no model could ever answer."""
    backend = ScriptedBackend([calls(("shout", '{"text": "a"}')), "done"])
    await stack(backend, Tools()).generate(Request("go", tools=[shout], tool_choice=choice))
    assert [request.tool_choice for request in backend.requests] == [choice, "auto"]


async def test_deltas_count_the_steps_on() -> None:
    """Each turn is a step, its results belong to it, and a reset announces the next."""
    backend = ScriptedBackend(
        [calls(("shout", '{"text": "a"}'), text="hm"), calls(("shout", '{"text": "b"}')), "done"]
    )
    seen: list[Delta] = []

    async def sink(delta: Delta) -> None:
        seen.append(delta)

    await stack(backend, Tools()).generate(Request("go", tools=[shout]), sink)
    kinds: list[tuple[str, int]] = []
    for delta in seen:
        if not kinds or kinds[-1] != (delta.kind, delta.step):
            kinds.append((delta.kind, delta.step))
    assert kinds == [
        ("text", 0), ("tool_call", 0), ("tool_result", 0), ("reset", 1),
        ("tool_call", 1), ("tool_result", 1), ("reset", 2), ("text", 2),
    ]  # fmt: skip
    told = next(delta for delta in seen if delta.kind == "tool_result")
    assert (told.text, told.name, told.call_id, told.index) == ("A", "shout", "c0", 0)


class Sum(BaseModel):
    total: int


async def test_tools_and_structured_output_together() -> None:
    """A tool turn, an invalid answer, its repair: four steps of one call, streamed."""
    backend = ScriptedBackend([calls(("add", '{"a": 1, "b": 2}')), "garbage", {"total": 3}])
    seen: list[Delta] = []

    async def sink(delta: Delta) -> None:
        seen.append(delta)

    outer = stack(backend, Tools(), StructuredOutput())
    completion = await outer.generate(Request("go", tools=[add], output=Sum), sink)
    assert completion.parsed == Sum(total=3)
    assert len(completion.steps) == 3
    assert [(d.kind, d.step) for d in seen if d.kind == "reset"] == [("reset", 1), ("reset", 2)]
    assert sorted({delta.step for delta in seen}) == [0, 1, 2]
    assert all(request.response_format for request in backend.requests)


async def test_the_random_policy_plays_the_whole_loop() -> None:
    """It calls tools with valid arguments, and answers to the schema."""
    seen: list[int] = []

    async def best_quotes(depth: int) -> list[int]:
        """Look at the book."""
        seen.append(depth)
        return [depth]

    outer = stack(RandomBackend(3, tool_rate=0.5), Tools(), StructuredOutput(repairs=0))
    for _ in range(40):
        completion = await outer.generate(Request("go", tools=[best_quotes], output=Sum))
        assert isinstance(completion.parsed, Sum)
    assert 5 < len(seen) < 35


async def test_a_backend_without_tools_is_not_asked() -> None:
    """Nothing is sent, and the error names the tools."""
    backend = ScriptedBackend([], capabilities=Capabilities(tools="no"))
    with pytest.raises(CapabilityError, match="shout"):
        await stack(backend, Tools()).generate(Request("go", tools=[shout]))


async def test_two_tools_of_one_name_are_refused() -> None:
    """Which of them was meant could not be told."""
    with pytest.raises(ToolError, match="several tools named shout"):
        await stack(ScriptedBackend([]), Tools()).generate(Request("go", tools=[shout, shout]))


async def test_a_tool_made_by_hand_takes_what_its_function_takes() -> None:
    """Its schema is not ours to check, but the call must be possible."""

    async def echo(text: str, times: int = 1) -> str:
        return text * times

    by_hand = Tool(
        name="echo", parameters={"type": "object", "properties": {"text": {}}}, function=echo
    )
    wanted = [
        ("echo", '{"text": "a", "times": 2}'),
        ("echo", '{"words": 1}'),
        ("echo", "[]"),
        ("echo", "{"),
    ]
    told = await run(*wanted, tools=[by_hand])
    assert told[0] == "aa"
    assert "missing a required argument: 'text'" in told[1]
    assert "no JSON object" in told[2]
    assert "no valid JSON" in told[3]


@pytest.mark.parametrize("kind", ["method", "object", "lambda"])
async def test_every_kind_of_callable_runs(kind: str) -> None:
    """Bound methods, callable objects, and functions that return an awaitable."""

    class Service:
        async def look(self, n: int) -> int:
            """Look."""
            return n + 1

        async def __call__(self, n: int) -> int:
            """Look."""
            return n + 1

    def later(n: int) -> Any:
        """Look."""
        return Service().look(n)

    found: dict[str, Callable[..., Any]] = {
        "method": Service().look, "object": Service(), "lambda": later,
    }  # fmt: skip
    made = tool(name="look")(found[kind])
    assert await run(("look", '{"n": 1}'), tools=[made]) == ["2"]


async def test_each_call_has_a_span() -> None:
    """It names the tool and the call; a failure is its error, without secrets."""
    exporter = InMemorySpanExporter()
    provider = TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    layer = Tools(tracer_provider=provider)
    await run(
        ("shout", '{"text": "a"}'), ("fail", '{"why": "x"}'), tools=[shout, fail], layer=layer
    )
    spans = {span.name: span for span in exporter.get_finished_spans()}
    good, bad = spans["execute_tool shout"], spans["execute_tool fail"]
    assert good.attributes is not None
    assert good.attributes["gen_ai.operation.name"] == "execute_tool"
    assert good.attributes["gen_ai.tool.name"] == "shout"
    assert good.attributes["gen_ai.tool.call.id"] == "c0"
    assert bad.attributes is not None
    assert bad.attributes["error.type"] == "RuntimeError"
    assert not bad.status.is_ok


@pytest.mark.parametrize(
    "wrong", [{"max_rounds": -1}, {"timeout": 0}, {"max_output": 0}, {"max_threads": 0}]
)
def test_bad_settings_are_refused(wrong: dict[str, Any]) -> None:
    """At the earliest moment."""
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Tools(**wrong)


def test_it_pickles() -> None:
    """With its settings."""
    copy = pickle.loads(pickle.dumps(Tools(3, parallel=False)))
    assert (copy.max_rounds, copy.parallel) == (3, False)


def test_one_instance_serves_several_event_loops() -> None:
    """The limit on threads is each loop's own."""
    layer = Tools(max_threads=1)

    async def main() -> None:
        assert await run(("shout", '{"text": "a"}'), tools=[shout], layer=layer) == ["A"]

    for backend in ("asyncio", "trio", "asyncio"):
        anyio.run(main, backend=backend)
