"""The wait graph: who waits for whom, and whether one wait more would close a circle.

A handler waits for the envelopes that it asked about, or that find no room. An envelope that has
not started waits for the handler that occupies its recipient. No other waits exist between actors,
so a circle can only be closed by a new ask or a new blocked send, which is where it is looked for.
"""

from collections.abc import Iterable

from callboard.runtime.address import Address
from callboard.runtime.envelope import Envelope


def find_cycle(sender: Envelope, target: Envelope) -> list[Address]:
    """Return the actors around the circle that sender waiting for target would close.

    Args:
        sender: The envelope whose handler is about to wait.
        target: What it would wait for.

    Returns:
        Addresses in waiting order, the sender's first and last; empty where there is no circle.
    """
    seen: set[Envelope] = set()
    trails: list[list[Envelope]] = [[sender, target]]
    while trails:
        trail = trails.pop()
        for awaited in _waits_for(trail[-1]):
            if awaited is sender:
                return _addresses([*trail, sender])
            if awaited not in seen:
                seen.add(awaited)
                trails.append([*trail, awaited])
    return []


def _waits_for(envelope: Envelope) -> Iterable[Envelope]:
    if envelope.recipient.runs(envelope):
        return getattr(envelope, "waits", ())
    occupant = envelope.recipient.current
    return () if occupant is None else (occupant,)


def _addresses(trail: list[Envelope]) -> list[Address]:
    addresses: list[Address] = []
    for envelope in trail:
        address = envelope.recipient.address
        if not addresses or addresses[-1] != address:
            addresses.append(address)
    return addresses if len(addresses) > 1 else addresses * 2
