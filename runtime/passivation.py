"""Passivation: noticing that an actor has been idle for long enough to be put to rest."""

from collections.abc import Callable

from callboard.runtime.cell import Cell
from callboard.runtime.inbox import State


class Idleness:
    """Looks at an actor from time to time, until it is idle.

    Messages cost nothing for it: at each look the actor counts as idle if it has nothing to do and
    no message has come since the look before. So it rests after one to two times its limit.

    Args:
        cell: The actor.
        limit: Seconds between looks.
        put_to_rest: What to do with an idle actor.
    """

    def __init__(self, cell: Cell, limit: float, put_to_rest: Callable[[Cell], None]) -> None:
        self._cell = cell
        self._limit = limit
        self._put_to_rest = put_to_rest
        self._over = False
        self._was_idle = False

    def look_later(self) -> None:
        """Take the next look when the limit has passed."""
        kernel = self._cell.kernel
        kernel.timers.add(kernel.time() + self._limit, self, self)

    def done(self) -> bool:
        """Return whether there is nothing to look at any more."""
        return self._over or not self._cell.alive

    def expire(self) -> None:
        """Take a look."""
        was_idle, self._was_idle = self._was_idle, is_idle(self._cell)
        if was_idle and self._was_idle and not self._cell.mailbox.stirred:
            self._over = True
            self._put_to_rest(self._cell)
        else:
            self._cell.mailbox.listen()
            self.look_later()


def is_idle(cell: Cell) -> bool:
    """Return whether an actor has nothing to do, and nobody below it."""
    busy = cell.scheduled or cell.active or cell.children
    return cell.state is State.RUNNING and not busy
