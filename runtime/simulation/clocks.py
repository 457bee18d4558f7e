"""Clocks that show simulated time."""

import time
from collections.abc import Callable, Sequence
from typing import Any

from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.substitution import Substitution, serves

EPOCH = 1_767_225_600.0
"""What `time.time()` shows at the start: 2026-01-01 00:00 UTC."""


def wall_time(loop: SimulationLoop) -> float:
    """Return the seconds since 1970."""
    return EPOCH + loop.read_clock()


def clock_substitutions() -> list[Substitution]:
    """Return stand-ins for all clocks of the module time, and for its sleep."""
    monotonic = ("monotonic", "perf_counter", "process_time", "thread_time")
    return [
        _clock("time", serves(wall_time)),
        _clock("time_ns", serves(lambda loop: _nanoseconds(wall_time(loop)))),
        *(_clock(name, serves(SimulationLoop.read_clock)) for name in monotonic),
        *(
            _clock(f"{name}_ns", serves(lambda loop: _nanoseconds(loop.read_clock())))
            for name in monotonic
        ),
        _clock("clock_gettime", _clock_gettime),
        _clock("clock_gettime_ns", lambda *args: _nanoseconds(_clock_gettime(*args))),
        *(_clock(name, _broken_down) for name in ("gmtime", "localtime", "ctime")),
        _clock("asctime", _asctime),
        _clock("strftime", _strftime),
        _clock("sleep", _sleep),
    ]


def _clock(name: str, serve: Callable[..., Any]) -> Substitution:
    return Substitution(owner=time, name=name, serve=serve)


def _nanoseconds(seconds: float) -> int:
    return round(seconds * 1e9)


def _clock_gettime(loop: SimulationLoop, original: Any, clock: int) -> float:
    del original
    return wall_time(loop) if clock == time.CLOCK_REALTIME else loop.read_clock()


def _broken_down(
    loop: SimulationLoop, original: Callable[[float], Any], seconds: float | None = None
) -> Any:
    return original(wall_time(loop) if seconds is None else seconds)


def _asctime(
    loop: SimulationLoop, original: Callable[..., str], moment: Sequence[int] | None = None
) -> str:
    return original(time.localtime(wall_time(loop)) if moment is None else moment)


def _strftime(
    loop: SimulationLoop,
    original: Callable[..., str],
    form: str,
    moment: Sequence[int] | None = None,
) -> str:
    return original(form, time.localtime(wall_time(loop)) if moment is None else moment)


def _sleep(loop: SimulationLoop, original: Any, seconds: float) -> None:
    del original
    if loop.thread is None:
        loop.refuse("time.sleep", "await anyio.sleep, or a function for anyio.to_thread.run_sync")
    if seconds < 0:
        raise ValueError("sleep length must be non-negative")
    loop.thread.slept += seconds
