"""Clocks and chance inside of a simulation follow from the seed; outside nothing changes."""
# ruff: noqa: PLW0108, DTZ002, DTZ003, DTZ005, DTZ011  looked up inside, any clock counts

import datetime as dt
import os
import random
import secrets
import threading
import time
import uuid
import warnings
from collections.abc import Callable
from datetime import UTC
from datetime import datetime as early_datetime
from os import urandom as early_urandom
from random import random as early_random
from time import monotonic as early_monotonic
from typing import Any
from uuid import uuid4 as early_uuid4

import anyio
import pytest
from pydantic import TypeAdapter

from callboard.runtime.simulation import simulate
from callboard.runtime.simulation.clocks import EPOCH

CHANCE: dict[str, Callable[[], Any]] = {
    "random.random": random.random,
    "early random": lambda: early_random(),
    "random.Random()": lambda: random.Random().random(),
    "random.SystemRandom": lambda: random.SystemRandom().random(),
    "random.shuffle": lambda: random.sample(range(1000), 5),
    "os.urandom": lambda: os.urandom(8),
    "early urandom": lambda: early_urandom(8),
    "uuid.uuid1": lambda: uuid.uuid1(),
    "uuid.uuid4": lambda: uuid.uuid4(),
    "early uuid4": lambda: early_uuid4(),
    "secrets": lambda: secrets.token_hex(8),
}
CLOCKS: dict[str, Callable[[], float]] = {
    "time.time": lambda: time.time() - EPOCH,
    "time.time_ns": lambda: time.time_ns() / 1e9 - EPOCH,
    "time.monotonic": lambda: time.monotonic(),
    "time.monotonic_ns": lambda: time.monotonic_ns() / 1e9,
    "time.perf_counter": lambda: time.perf_counter(),
    "time.perf_counter_ns": lambda: time.perf_counter_ns() / 1e9,
    "time.process_time": lambda: time.process_time(),
    "time.clock_gettime": lambda: time.clock_gettime(time.CLOCK_MONOTONIC),
    "time.clock_gettime realtime": lambda: time.clock_gettime(time.CLOCK_REALTIME) - EPOCH,
    "time.gmtime": lambda: time.gmtime().tm_hour * 3600,
    "early monotonic": lambda: early_monotonic(),
    "datetime.now": lambda: dt.datetime.now(UTC).timestamp() - EPOCH,
    "naive datetime.now": lambda: dt.datetime.now().timestamp() - EPOCH,
    "early datetime.now": lambda: early_datetime.now(tz=UTC).timestamp() - EPOCH,
    "datetime.today": lambda: dt.datetime.today().timestamp() - EPOCH,
    "datetime.utcnow": lambda: utcnow().replace(tzinfo=UTC).timestamp() - EPOCH,
}


def utcnow() -> dt.datetime:
    """Call what newer Pythons warn about."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return dt.datetime.utcnow()


@pytest.mark.parametrize("source", CHANCE)
def test_chance_follows_from_the_seed(source: str) -> None:
    """The same seed draws the same, another seed something else, twice never the same."""

    async def program() -> tuple[Any, Any]:
        return CHANCE[source](), CHANCE[source]()

    first, again, other = (simulate(program, seed=seed).result for seed in (1, 1, 2))
    assert first == again
    assert first != other
    assert first[0] != first[1]


@pytest.mark.parametrize("source", CHANCE)
def test_chance_outside_stays_chance(source: str) -> None:
    """Control: after a run, draws are as random as before."""

    async def program() -> Any:
        return CHANCE[source]()

    inside = simulate(program, seed=1).result
    assert CHANCE[source]() != CHANCE[source]()
    assert CHANCE[source]() != inside


@pytest.mark.parametrize("clock", CLOCKS)
def test_clocks_show_simulated_time(clock: str) -> None:
    """They start anew with each run and move with the sleeps, to the second."""

    async def program() -> tuple[float, float]:
        before = CLOCKS[clock]()
        await anyio.sleep(3600)
        return before, CLOCKS[clock]()

    before, after = simulate(program).result
    assert before == pytest.approx(0, abs=1e-6)
    assert after == pytest.approx(3600, abs=1e-6)


def test_formatted_time_is_simulated() -> None:
    """The day of the simulation, not today."""

    async def program() -> list[str]:
        date = dt.date.today()
        return [time.strftime("%Y-%m"), time.asctime()[-4:], time.ctime()[-4:], str(date.year)]

    year_of_the_epoch = {"2025", "2026"}  # by time zone
    assert {each[:4] for each in simulate(program).result} <= year_of_the_epoch


def test_clocks_outside_stay_real() -> None:
    """Control: after a run the clocks, and whatever they were imported as, are the real ones."""
    simulate(anyio.sleep, 10.0)
    assert time.time() > EPOCH
    assert early_datetime.now(UTC).timestamp() == pytest.approx(time.time(), abs=5)
    assert early_monotonic is time.monotonic
    assert type(time.monotonic) is type(len)
    assert "simulation" not in repr(vars(dt.datetime)["now"])


def test_threads_outside_keep_the_real_clock() -> None:
    """Only the simulated program sees simulated time, even while it runs."""
    real: list[float] = []
    go, done = threading.Event(), threading.Event()

    def outside() -> None:
        go.wait()
        real.append(time.time())
        real.append(early_datetime.now(UTC).timestamp())
        done.set()

    thread = threading.Thread(target=outside)
    thread.start()

    async def program() -> float:
        go.set()
        while not done.is_set():  # noqa: ASYNC110  a thread sets it
            await anyio.sleep(1)
        return time.time()

    simulated = simulate(program).result
    thread.join()
    assert real[0] == pytest.approx(time.time(), abs=30)
    assert real[1] == pytest.approx(time.time(), abs=30)
    assert simulated >= EPOCH


def test_classes_of_dates_stay_what_they_are() -> None:
    """Validation, pickling and comparison of types work on the real class."""

    async def program() -> dt.datetime:
        assert type(dt.datetime.now(UTC)) is dt.datetime is early_datetime
        return TypeAdapter(early_datetime).validate_python("2026-01-02T03:04:05Z")

    assert simulate(program).result.day == 2


def test_subclasses_of_datetime_are_served() -> None:
    """A subclass gets its own kind back."""

    class Moment(dt.datetime):
        pass

    async def program() -> Moment:
        return Moment.now(UTC)

    assert type(simulate(program).result) is Moment
    assert type(Moment.now(UTC)) is Moment


def held_by_default(clock: Callable[[], float] = time.monotonic) -> float:
    """Hold a clock where no simulation can reach it."""
    return clock()


def test_what_cannot_be_reached_is_reported() -> None:
    """A clock in a default argument, a closure, a class or an object is named with its holder."""

    def closed(clock: Callable[[], float]) -> Callable[[], float]:
        return lambda: clock()

    class Holder:
        tick = time.perf_counter

        def __init__(self) -> None:
            self.chance = os.urandom

    kept = (closed(time.time), Holder())
    report = simulate(anyio.sleep, 0)
    uncovered = "\n".join(report.uncovered())
    assert kept
    for what in (
        "time.monotonic in a default argument of",
        "held_by_default",
        "time.time in a closure of",
        "time.perf_counter in",
        "Holder.tick",
        "os.urandom in attribute chance of a",
    ):
        assert what in uncovered
