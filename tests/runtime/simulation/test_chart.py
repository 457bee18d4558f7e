"""The sequence chart: lanes, arrows, marks, and what does not fit."""

from dataclasses import dataclass

import anyio

from callboard.runtime import Actor, Message, Runtime
from callboard.runtime.simulation import simulate
from callboard.runtime.simulation.chart import MOST_LANES, draw_chart
from callboard.runtime.simulation.history import Event, Kind


def event(kind: Kind, lane: str, text: str, target: str = "", time: float = 0.0) -> Event:
    """Return an event."""
    return Event(time=time, step=1, kind=kind, lane=lane, target=target, text=text)


def test_the_chart_of_a_conversation() -> None:
    """One row per event; arrows go either way, across what lies between."""
    events = [
        event("sent", "main", "ask Add", "left"),
        event("begins", "left", "ask Add", time=0.5),
        event("sent", "left", "tell Log", "right", time=0.5),
        event("sent", "right", "tell Ack", "main", time=1),
        event("ends", "left", "ask Add: handled", time=1),
        event("step", "main", "file.py:3 in main", time=1),
        event("timer", "main", "tick", time=2),
        event("thread", "main", "work", time=2),
    ]
    assert draw_chart(events).split("\n")[1:] == [
        "            ,--------- main",
        "            |   ,------ left",
        "            |   |   ,--- right",
        "      0.000 +--->   |    ask Add to left",
        "      0.500 |   [   |    ask Add",
        "            |   +--->    tell Log to right",
        "      1.000 <-------+    tell Ack to main",
        "            |   ]   |    ask Add: handled",
        "            o   |   |    file.py:3 in main",
        "      2.000 t   |   |    tick",
        "            h   |   |    work",
    ]


def test_only_the_last_rows_and_the_first_lanes_are_drawn() -> None:
    """What has no lane is named in the text instead."""
    events = [event("step", f"task {n}", "here") for n in range(30)]
    lines = draw_chart(events, rows=20).split("\n")
    assert sum(" ," in line for line in lines) == MOST_LANES
    assert "    ..." in lines
    assert lines[-1].endswith("task 29: here")


def test_an_empty_chart_has_a_legend() -> None:
    """Nothing happened: nothing is drawn."""
    assert draw_chart([]).count("\n") == 0


@dataclass(frozen=True, slots=True)
class Ping(Message[str]):
    secret: str


class Echo(Actor):
    @Ping.handler
    async def ping(self, message: Ping) -> str:
        await anyio.sleep(2)
        return message.secret


def test_the_history_of_a_run_shows_messages_without_their_content() -> None:
    """Who sent what to whom, by type; what a message says stays out of reports."""

    async def program() -> str:
        async with Runtime() as runtime:
            echo = await runtime.spawn(Echo, name="echo")
            return await echo.ask(Ping("sesame"))

    report = simulate(program)
    kinds = [each.kind for each in report.events if each.lane == "echo"]
    assert kinds == ["begins", "ends"]
    assert "ask Ping to echo" in report.chart()
    assert "test_chart.py:" in report.chart()
    assert "sesame" not in report.chart()
    assert report.digest == simulate(program, history=0).digest
    assert simulate(program, history=0).events == ()
