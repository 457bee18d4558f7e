"""The line that repeats a run, and what it depends on besides."""

import os
import platform
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from callboard.runtime.simulation.naming import policy_label
from callboard.runtime.simulation.policy import Policy

PACKAGES = ("anyio", "callboard")
"""Whose versions a schedule depends on."""


def replay_line(main: Callable[..., Any], args: Sequence[Any], seed: int, policy: Policy) -> str:
    """Return the call that repeats a run, with the versions that it was made on."""
    call = ", ".join(
        [_name(main), *map(_name, args), f"seed={seed}", f"policy={policy_label(policy)}"]
    )
    return f"simulate({call})  # {circumstances()}"


def circumstances() -> str:
    """Return what else a schedule depends on: versions, and the hash seed of strings."""
    versions = [f"{package} {_version(package)}" for package in PACKAGES]
    return ", ".join([f"Python {platform.python_version()}", *versions, hash_seed()])


def hash_seed() -> str:
    """Return the seed of the order of sets of strings, as far as it can be known."""
    seed = os.environ.get("PYTHONHASHSEED", "random")
    return f"PYTHONHASHSEED={seed}"


def _version(package: str) -> str:
    from importlib import metadata  # noqa: PLC0415  it loads the email package, for a line of text

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return "unknown"


def _name(value: Any) -> str:
    """Return the expression for a program or one of its arguments."""
    if isinstance(value, partial):
        words = [_name(value.func), *map(_name, value.args)]
        words += [f"{name}={_name(word)}" for name, word in value.keywords.items()]
        return f"partial({', '.join(words)})"
    name = getattr(value, "__qualname__", None)
    module = getattr(value, "__module__", None)
    if not isinstance(name, str):
        return repr(value)
    return name if module in (None, "__main__") else f"{module}.{name}"
