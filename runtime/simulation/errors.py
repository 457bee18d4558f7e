"""The errors of a simulation, one tree.

    SimulationError
    ├── DeadlockError    everything waits, and nothing will ever happen
    ├── LivelockError    the program runs on and gets nowhere
    └── RefusedError     the program reached for the world outside

They end the whole run: an actor's supervision, or an `except` in the program, can't hide them.
"""


class SimulationError(RuntimeError):
    """The program did what a simulation can't finish or can't repeat."""


class DeadlockError(SimulationError):
    """Nothing can run and no timer is set: in real life the program would hang for ever.

    Args:
        time: Simulated seconds since the start.
        picture: Who waits where, and for whom; several lines.
    """

    def __init__(self, time: float, picture: str) -> None:
        super().__init__(
            f"deadlock at t={time:.6g}: everything waits and no timer is set.\n{picture}"
        )
        self.time = time
        self.picture = picture


class LivelockError(SimulationError):
    """The program keeps running and gets nowhere.

    Args:
        time: Simulated seconds since the start.
        limit: Which limit it reached, in words.
        picture: Who runs or waits where; several lines.
    """

    def __init__(self, time: float, limit: str, picture: str) -> None:
        super().__init__(
            f"livelock at t={time:.6g}: {limit}. Simulated time moves only while everything waits: "
            f"a loop that polls should sleep between its looks.\n{picture}"
        )
        self.time = time
        self.limit = limit
        self.picture = picture


class RefusedError(SimulationError):
    """The program reached for a thread, a socket, a process or a blocking wait.

    Args:
        what: What it used, such as "time.sleep".
        culprit: Where, as "file:line in function".
        instead: What to use in a simulation.
    """

    def __init__(self, what: str, culprit: str, instead: str) -> None:
        super().__init__(f"{what} at {culprit}: a simulation can't repeat it. Instead: {instead}")
        self.what = what
        self.culprit = culprit
        self.instead = instead
