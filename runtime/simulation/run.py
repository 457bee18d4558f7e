"""Runs a program once, on a loop where everything repeats."""

from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, TypeVarTuple

import anyio

from callboard.runtime.simulation.history import History
from callboard.runtime.simulation.limits import Limits
from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.naming import policy_of
from callboard.runtime.simulation.policy import Policy
from callboard.runtime.simulation.report import SimulationReport
from callboard.runtime.simulation.stage import STAGE

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

USUAL_LIMITS = Limits()
HISTORY = 1000
"""Events that are kept of a run."""


def simulate(
    main: Callable[[*Ts], Awaitable[T]],
    *args: *Ts,
    seed: int = 0,
    policy: str | Policy = "random",
    limits: Limits = USUAL_LIMITS,
    history: int = HISTORY,
) -> SimulationReport[T]:
    """Run an async program deterministically, in simulated time.

    The same program, seed and policy give the same run, step by step: time moves only when
    everything waits, and then at once; who of those that could run next does is chosen by the
    policy; chance, clocks and the hashes of tasks follow from the seed. Functions in threads run
    inline; raw threads, sockets, processes and blocking waits are refused. Simulations in several
    threads take turns; while one runs, the garbage collector does not.

    Args:
        main: The program, as for `anyio.run`.
        *args: What it is called with.
        seed: Any number.
        policy: "random", "pct", "shuffle", "fifo", or a Policy.
        limits: How far it may run.
        history: How many of the last events are kept for the chart; 0 is quicker.

    Returns:
        What happened, the program's result included.

    Raises:
        DeadlockError: Everything waits and no timer is set.
        LivelockError: The program runs on and gets nowhere.
        RefusedError: The program reached for the world outside, even if it caught this error.
        BaseException: Whatever the program raises. Each carries a note: the line that repeats it.
    """
    report = observe(main, args, seed, policy_of(policy), limits, history)
    if report.error is not None:
        report.error.add_note(f"replay: {report.replay}")
        raise report.error
    return report


def observe(
    main: Callable[..., Awaitable[T]],
    args: tuple[Any, ...],
    seed: int,
    policy: Policy,
    limits: Limits,
    history: int,
) -> SimulationReport[T]:
    """Run a program like `simulate`, but report what it raises."""
    recorder = History(history) if history else None
    loops: list[SimulationLoop] = []
    outcome, error = None, None

    def make_loop() -> SimulationLoop:
        loops.append(SimulationLoop(policy, seed, limits=limits, observer=recorder))
        return loops[0]

    with STAGE.set(), STAGE.run(seed):
        try:
            outcome = anyio.run(
                main, *args, backend="asyncio", backend_options={"loop_factory": make_loop}
            )
        except BaseException as raised:  # noqa: BLE001  the caller decides what to do with it
            error = raised
    if not loops:
        assert error is not None, "either a loop or an error"  # noqa: S101  an invariant
        raise error  # such as: a loop runs already
    loop = loops[0]
    return SimulationReport(
        main=main,
        args=args,
        seed=seed,
        policy=policy,
        outcome=outcome,
        error=loop.failure or error,
        digest=loop.digest,
        time=loop.time(),
        steps=loop.steps,
        choices=tuple(loop.choices),
        events=() if recorder is None else recorder.events,
    )
