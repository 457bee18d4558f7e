"""Chance that repeats: what lies outside of the stream of the module random, which is seeded."""

import os
import random
import uuid
from collections.abc import Callable
from typing import Any

from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.substitution import Substitution


def entropy_substitutions() -> list[Substitution]:
    """Return stand-ins for the sources of chance outside of the module random's own stream.

    `uuid.uuid4`, `secrets` and `random.SystemRandom` draw from `os.urandom`.
    """
    return [
        Substitution(owner=os, name="urandom", serve=_urandom),
        Substitution(owner=os, name="getrandom", serve=_urandom),
        Substitution(owner=uuid, name="uuid1", serve=_uuid1),
        Substitution(owner=random.Random, name="seed", serve=_seed),
    ]


def _urandom(loop: SimulationLoop, original: Any, size: int, flags: int = 0) -> bytes:
    del original, flags
    return loop.entropy.randbytes(size)


def _uuid1(loop: SimulationLoop, original: Any, *_: Any, **__: Any) -> uuid.UUID:
    del original
    return uuid.UUID(bytes=loop.entropy.randbytes(16), version=1)


def _seed(
    loop: SimulationLoop,
    original: Callable[..., None],
    stream: random.Random,
    a: Any = None,
    version: int = 2,
) -> None:
    """Seed a new `random.Random()`, which would take its seed from the operating system."""
    chosen = loop.entropy.getrandbits(64) if a is None else a
    original(stream, chosen, version)
