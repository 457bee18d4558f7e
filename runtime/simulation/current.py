"""The simulation that the caller is in, if any."""

import asyncio

from callboard.runtime.simulation.loop import SimulationLoop


def current_simulation() -> SimulationLoop | None:
    """Return the loop of the simulation that runs in this thread; None outside of any."""
    loop = asyncio._get_running_loop()
    return loop if isinstance(loop, SimulationLoop) else None
