"""Short names for policies."""

from callboard.runtime.simulation.fifo import Fifo
from callboard.runtime.simulation.pct import Pct
from callboard.runtime.simulation.policy import Policy
from callboard.runtime.simulation.random_policy import Random
from callboard.runtime.simulation.shuffle import Shuffle

POLICIES: dict[str, type[Policy]] = {
    "fifo": Fifo,
    "random": Random,
    "shuffle": Shuffle,
    "pct": Pct,
}
"""What each name stands for, with its usual settings."""


def policy_of(policy: str | Policy) -> Policy:
    """Return the policy that a name stands for; a policy stands for itself.

    Raises:
        ValueError: There is no such name.
    """
    if not isinstance(policy, str):
        return policy
    try:
        return POLICIES[policy]()
    except KeyError:
        known = ", ".join(sorted(POLICIES))
        raise ValueError(f"unknown policy {policy!r}: use one of {known}, or a Policy") from None


def policy_label(policy: Policy) -> str:
    """Return the Python expression for a policy, its name where that is enough."""
    for name, kind in POLICIES.items():
        if policy == kind():
            return repr(name)
    return repr(policy)
