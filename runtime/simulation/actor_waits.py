"""The wait graph of actors: which messages are being handled, and what their handlers wait for."""

import gc
from collections.abc import Callable, Iterator

from callboard.runtime.cell import Cell
from callboard.runtime.envelope import Envelope


def draw_actors(clock: Callable[[], float]) -> str:
    """Return a picture of the busy actors that live by a clock, one line per handler.

    Args:
        clock: The `time` of their loop.
    """
    lines = [line for cell in _cells(clock) for line in _lines(cell)]
    return "\n".join(["actors:", *lines]) if lines else ""


def _cells(clock: Callable[[], float]) -> list[Cell]:
    # Nobody keeps a list of the runtimes of a loop, and a report of a deadlock may take its time.
    found = [
        thing
        for thing in gc.get_objects()
        if isinstance(thing, Cell) and thing.kernel.time == clock
    ]
    return sorted(found, key=lambda cell: cell.path)


def _lines(cell: Cell) -> Iterator[str]:
    queued = len(cell.mailbox)
    running = [] if cell.current is None else [cell.current]
    for envelope in (*running, *(cell.reentrants or ())):
        waits = sorted(map(_awaited, getattr(envelope, "waits", None) or ()))
        rest = f", waits for {' and for '.join(waits)}" if waits else ""
        yield f"  {cell.path!r} handles {envelope.type_name}{rest}; {queued} queued"
    if not running and queued:
        yield f"  {cell.path!r} handles nothing, is {cell.state.name.lower()}; {queued} queued"


def _awaited(envelope: Envelope) -> str:
    return f"{envelope.type_name} at {str(envelope.recipient.address)!r}"
