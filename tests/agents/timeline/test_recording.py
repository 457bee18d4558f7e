"""Recording spans, and what is kept of them."""

import json
import re

import anyio
import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import NoOpTracerProvider, get_tracer

from callboard.agents.agent import Agent
from callboard.agents.timeline import mark_point, mark_section, record_timeline
from callboard.agents.timeline.columns import lanes, to_columns
from callboard.agents.timeline.events import CallEvent, MessageEvent, PointEvent, Recorded
from callboard.backends.default_stack import default_stack
from callboard.backends.errors import OverloadedError
from callboard.backends.function_backend import FunctionBackend
from callboard.runtime.actor import Actor
from callboard.runtime.message import Message
from callboard.runtime.system import Runtime


class Greet(Message[str]):
    """Answered by a model."""


class Wave(Message[None]):
    """Answered by nobody."""


class Greeter(Actor):
    def __init__(self, agent):
        self.agent = agent

    @Greet.handler
    async def greet(self, message):
        await self.context.ref.tell(Wave())
        return (await self.agent.run("Say hello.")).output

    @Wave.handler
    async def wave(self, message):
        pass


def asking(provider, answer=lambda _: "hello"):
    backend = FunctionBackend(answer, model="parrot")
    return Agent("polite", backend=default_stack(backend, max_retries=0, tracer_provider=provider))


@pytest.mark.anyio
async def test_messages_and_calls_are_recorded_with_who_and_when():
    """An ask from outside, a tell from the actor to itself, and the model call inside."""
    with record_timeline() as timeline:
        provider = timeline.tracer_provider
        async with Runtime(tracer_provider=provider) as runtime:
            ref = await runtime.spawn(Greeter, asking(provider), name="greeter")
            assert await ref.ask(Greet()) == "hello"
    ask, tell = timeline.recorded.messages
    assert (ask.sender, ask.recipient, ask.type, ask.kind) == ("", "greeter", "Greet", "ask")
    assert (tell.sender, tell.recipient, tell.type, tell.kind) == (
        *("greeter", "greeter"),
        *("Wave", "tell"),
    )
    assert ask.sent <= ask.started <= ask.ended
    (call,) = timeline.recorded.calls
    assert (call.caller, call.kind, call.name, call.error) == ("greeter", "chat", "parrot", "")
    assert ask.started <= call.started <= call.ended <= ask.ended
    assert call.input_tokens > 0


@pytest.mark.anyio
async def test_a_call_outside_of_actors_belongs_to_its_agent():
    """Without a handler around it, the request's caller names the lane."""
    with record_timeline() as timeline:
        await asking(timeline.tracer_provider).run("Hello?")
    assert [call.caller for call in timeline.recorded.calls] == ["polite"]


@pytest.mark.anyio
async def test_a_failed_call_keeps_the_name_of_its_error():
    """And not its words, which may quote anything."""

    def refuse(_):
        raise OverloadedError("busy with the secret word xyzzy")

    with record_timeline() as timeline:
        agent = asking(timeline.tracer_provider, refuse)
        with pytest.raises(OverloadedError):
            await agent.run("Hello?")
    (call,) = timeline.recorded.calls
    assert call.error == "OverloadedError"
    assert "xyzzy" not in timeline.html()


def test_sections_and_points_are_ordinary_spans():
    """Anything that sets the attributes of `words` is drawn."""
    with record_timeline() as timeline:
        provider = timeline.tracer_provider
        with mark_section(
            "one", group="g", axis="reward", reference=(1, 2), tracer_provider=provider
        ) as s:
            mark_point("reward", 1.5, look="dot", note="first", tracer_provider=provider)
            s.figure("Best", 0.123456)
            s.figure("Rank", "3rd")
    (section,), (point,) = timeline.recorded.sections, timeline.recorded.points
    assert (section.name, section.group, section.axis) == ("one", "g", "reward")
    assert section.reference == (1.0, 2.0)
    assert section.figures == {"Best": "0.1235", "Rank": "3rd"}
    assert (point.series, point.value, point.look, point.note) == ("reward", 1.5, "dot", "first")
    assert section.started <= point.at <= section.ended


@pytest.mark.anyio
async def test_what_a_section_causes_belongs_to_it_whoever_does_it_meanwhile():
    """Two sections at once: asks, tells, calls and points go to the one that caused them."""
    with record_timeline() as timeline:
        provider = timeline.tracer_provider
        async with Runtime(tracer_provider=provider) as runtime:

            async def visit(name):
                ref = await runtime.spawn(Greeter, asking(provider), name=name)
                with mark_section(name, tracer_provider=provider):
                    await ref.ask(Greet())
                    mark_point("greeted", 1, note=name, tracer_provider=provider)

            async with anyio.create_task_group() as group:
                group.start_soon(visit, "one")
                group.start_soon(visit, "two")
    recorded = timeline.recorded
    names = {section.id: section.name for section in recorded.sections}
    assert sorted(names.values()) == ["one", "two"]
    assert len(recorded.messages) == 4
    assert all(names[message.section] == message.recipient for message in recorded.messages)
    assert [names[call.section] == call.caller for call in recorded.calls] == [True, True]
    assert [names[point.section] == point.note for point in recorded.points] == [True, True]


def test_sections_nest():
    """The inner one knows the outer one; a point belongs to the innermost."""
    with record_timeline() as timeline:
        provider = timeline.tracer_provider
        with (
            mark_section("epoch", tracer_provider=provider),
            mark_section("episode", tracer_provider=provider),
        ):
            mark_point("reward", 1, tracer_provider=provider)
    outer, inner = timeline.recorded.sections
    assert (outer.name, outer.outer) == ("epoch", 0)
    assert (inner.name, inner.outer) == ("episode", outer.id)
    (point,) = timeline.recorded.points
    assert point.section == inner.id
    columns = to_columns(timeline.recorded)
    assert columns["points"]["section"] == [1]
    assert [section["outer"] for section in columns["sections"]] == [-1, 0]


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_point_that_is_no_number_is_left_out(value):
    """A diverged reward is no place on an axis, and must not break the page."""
    with record_timeline() as timeline:
        mark_point("reward", value, tracer_provider=timeline.tracer_provider)
    assert timeline.recorded.points == ()
    assert timeline.html()


def test_marks_without_an_sdk_go_nowhere():
    """A program may leave its marks in place."""
    provider = NoOpTracerProvider()
    with mark_section("one", tracer_provider=provider) as section:
        section.figure("Best", 1)
        mark_point("reward", 1.5, tracer_provider=provider)


def test_nothing_is_recorded_after_the_block():
    """The recording ends with it, and can still be read."""
    with record_timeline() as timeline:
        mark_point("reward", 1, tracer_provider=timeline.tracer_provider)
    mark_point("reward", 2, tracer_provider=timeline.tracer_provider)
    assert [point.value for point in timeline.recorded.points] == [1]


def test_a_provider_of_ones_own_is_recorded_from():
    """Exporters that it has already go on as before."""
    provider = TracerProvider()
    with record_timeline(provider) as timeline:
        mark_point("reward", 1, tracer_provider=provider)
    assert timeline.tracer_provider is provider
    assert len(timeline.recorded.points) == 1


def test_a_provider_without_an_sdk_is_refused():
    """There would be nothing to record, and nobody would notice."""
    with (
        pytest.raises(TypeError, match="records from an opentelemetry"),
        record_timeline(NoOpTracerProvider()),
    ):
        pass


def test_spans_of_others_are_left_alone():
    """A database query is none of the timeline's business."""
    with record_timeline() as timeline:
        get_tracer("db", tracer_provider=timeline.tracer_provider).start_span("SELECT").end()
    assert timeline.recorded == Recorded()


def test_what_is_beyond_the_limit_is_counted():
    """A long run does not fill the memory; the page says what is missing. Sections always fit."""
    provider = TracerProvider()
    recording, section = (
        record_timeline(provider, limit=2),
        mark_section("s", tracer_provider=provider),
    )
    with recording as timeline, section:
        for value in range(5):
            mark_point("reward", value, tracer_provider=provider)
    recorded = timeline.recorded
    assert (len(recorded.points), len(recorded.sections), recorded.dropped) == (2, 1, 3)


def message(sender, recipient, sent=0):
    return MessageEvent(
        sender=sender,
        recipient=recipient,
        type="Hi",
        kind="tell",
        outcome="handled",
        sent=sent,
        started=sent + 2_000,
        ended=sent + 5_000,
    )


def test_lanes_begin_outside_then_with_the_hub_then_by_name():
    """Numbers in names are read as numbers."""
    sent = [message("hub", f"a-{i}") for i in (10, 9, 1)]
    recorded = Recorded(messages=(message("", "hub"), *sent, message("a-1", "hub")))
    assert lanes(recorded) == ["", "hub", "a-1", "a-9", "a-10"]
    assert lanes(Recorded()) == []


def test_columns_hold_every_event_and_survive_json():
    """Times are microseconds since the first event, as differences; names stand once."""
    t0 = 1_700_000_000_000_000_000
    columns = to_columns(
        Recorded(
            messages=(message("a", "b", t0), message("b", "a", t0 + 7_000)),
            calls=(CallEvent(caller="a", kind="chat", name="m", started=t0, ended=t0 + 9_000),),
            points=(PointEvent(series="s", value=2.0, look="dot", note="", at=t0 + 1_000),),
        )
    )
    assert json.loads(json.dumps(columns)) == columns
    names = columns["names"]
    assert len(names) == len(set(names))
    assert columns["messages"]["sent"] == [0, 7]
    assert columns["messages"]["wait"] == [2, 2]
    assert columns["messages"]["took"] == [3, 3]
    assert columns["calls"]["took"] == [9]
    assert columns["points"]["value"] == [2]
    assert [names[i] for i in columns["lanes"]] == ["a", "b"]


def test_the_page_can_be_written_anywhere(tmp_path):
    """Folders are made, an earlier page is replaced, and the absolute path comes back."""
    with record_timeline() as timeline:
        mark_point("reward", 1, tracer_provider=timeline.tracer_provider)
    target = tmp_path / "new" / "page.html"
    assert timeline.write(target, title="first") == target
    timeline.write(target, title="second")
    text = target.read_text("utf-8")
    assert re.search(r"<title>second</title>", text)
