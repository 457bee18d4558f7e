"""What a simulation refuses: threads, sockets, processes and waits that block."""

import _thread
import builtins
import os
import select
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from typing import Any

from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.sealed_loop import LIVE, PROCESS
from callboard.runtime.simulation.substitution import Substitution, refuses

THREAD = "anyio.to_thread.run_sync, which runs inline in a simulation"
WAIT = "anyio.Event, anyio.Condition or an anyio memory object stream"


def refusal_substitutions() -> list[Substitution]:
    """Return stand-ins that refuse, for what this Python has."""
    return [
        _refusal("threading.Thread.start", threading.Thread, THREAD),
        _refusal("_thread.start_new_thread", _thread, THREAD),
        _refusal("_thread.start_joinable_thread", _thread, THREAD),
        Substitution(owner=threading.Condition, name="wait", serve=_wait),
        _refusal("select.select", select, WAIT),
        _refusal("builtins.input", builtins, "an argument of the simulated function"),
        _refusal("socket.socket.__init__", socket.socket, LIVE),
        *(_refusal(f"socket.{name}", socket, LIVE) for name in _LOOK_UPS),
        _refusal("subprocess.Popen.__init__", subprocess.Popen, PROCESS),
        *(_refusal(f"os.{name}", os, PROCESS) for name in _STARTS),
        # Below Popen, and below the processes of multiprocessing; Windows has nothing of the kind.
        _refusal("_posixsubprocess.fork_exec", sys.modules.get("_posixsubprocess"), PROCESS),
    ]


_LOOK_UPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex", "gethostbyaddr", "getnameinfo")
_STARTS = ("system", "fork", "forkpty", "posix_spawn", "posix_spawnp", "execv", "execve")


def _wait(
    loop: SimulationLoop,
    original: Callable[..., bool],
    condition: threading.Condition,
    timeout: float | None = None,
) -> bool:
    """Below threading.Event, queue.Queue and concurrent.futures.Future."""
    if timeout is None or timeout > 0:
        loop.refuse("threading.Condition.wait", WAIT)
    return original(condition, timeout)


def _refusal(what: str, owner: Any, instead: str) -> Substitution:
    name = what.rpartition(".")[2]
    return Substitution(
        owner=owner, name=name, serve=refuses(what.removesuffix(".__init__"), instead)
    )
