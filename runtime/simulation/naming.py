"""Policies as words: short names, and the expressions that they print as."""

import ast
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from callboard.runtime.simulation.choices import Choices
from callboard.runtime.simulation.fifo import Fifo
from callboard.runtime.simulation.pct import Pct
from callboard.runtime.simulation.policy import Policy
from callboard.runtime.simulation.random_policy import Random
from callboard.runtime.simulation.shuffle import Shuffle

POLICIES: Mapping[str, Policy] = MappingProxyType(
    {"fifo": Fifo(), "random": Random(), "shuffle": Shuffle(), "pct": Pct()}
)
"""What each name stands for, with its usual settings."""

_KINDS = (Choices, Fifo, Pct, Random, Shuffle)


def policy_of(policy: str | Policy) -> Policy:
    """Return the policy that a name stands for; a policy stands for itself.

    Args:
        policy: A Policy, a name, or the expression of a policy, such as "Pct(depth=2)".

    Raises:
        ValueError: There is no such name.
    """
    if not isinstance(policy, str):
        return policy
    found = POLICIES.get(policy) or _evaluated(policy)
    if found is None:
        known = ", ".join(sorted(POLICIES))
        raise ValueError(
            f"unknown policy {policy!r}: use one of {known}, or an expression such as "
            "'Pct(depth=3, horizon=200)'"
        )
    return found


def policy_label(policy: Policy) -> str:
    """Return the Python expression for a policy, its name where that is enough."""
    for name, usual in POLICIES.items():
        if policy == usual:
            return repr(name)
    return repr(policy)


def _evaluated(expression: str) -> Policy | None:
    """Evaluate a call of one of our own classes with literal arguments; None if it is no such."""
    try:
        call = ast.parse(expression, mode="eval").body
        if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
            return None
        kinds: dict[str, Any] = {kind.__name__: kind for kind in _KINDS}
        arguments = map(ast.literal_eval, call.args)
        keywords = {str(word.arg): ast.literal_eval(word.value) for word in call.keywords}
        made: Policy = kinds[call.func.id](*arguments, **keywords)
    except (SyntaxError, KeyError, TypeError):
        return None
    return made
