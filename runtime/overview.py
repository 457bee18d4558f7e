"""Overviews: all actors of a runtime at one moment, counted or drawn."""

from collections.abc import Iterator

from callboard.runtime.cell import Cell
from callboard.runtime.ends import Ends
from callboard.runtime.kernel import Kernel
from callboard.runtime.statistics import Statistics
from callboard.runtime.tree import ActorNode, ActorTree


def living(ends: Ends) -> Iterator[Cell]:
    """Yield all living actors, parents before their children."""
    waiting = list(ends.roots.values())
    while waiting:
        cell = waiting.pop()
        yield cell
        waiting.extend(tuple((cell.children or {}).values()))


def count_messages(kernel: Kernel, ends: Ends) -> Statistics:
    """Return where all messages have gone."""
    cells, counters = tuple(living(ends)), kernel.counters
    ends.abandoned = [cell for cell in ends.abandoned if cell.active]
    everyone = {*cells, *ends.abandoned}
    return Statistics(
        accepted=counters.accepted,
        handled=counters.handled,
        failed=counters.failed,
        dead=counters.dead,
        queued=sum(len(cell.mailbox) for cell in cells),
        active=sum(cell.active for cell in everyone),
        rejected=counters.rejected,
        redelivered=counters.redelivered,
        late_replies=counters.late_replies,
        restarts=counters.restarts,
        actors=len(cells),
        dead_by_reason=kernel.dead_letters.by_reason(),
    )


def draw_tree(kernel: Kernel, ends: Ends) -> ActorTree:
    """Return the supervision tree."""
    return ActorTree(runtime=kernel.name, actors=tuple(map(_node, ends.roots.values())))


def _node(cell: Cell) -> ActorNode:
    return ActorNode(
        address=cell.address,
        kind=cell.kind,
        state=cell.state.name.lower(),
        mailbox=cell.mailbox.statistics(),
        active=cell.active,
        restarts=cell.incarnation,
        children=tuple(map(_node, (cell.children or {}).values())),
    )
