"""Which messages of a journal are shown."""

from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase

from callboard.runtime.journal.life import Life


@dataclass(frozen=True, slots=True, kw_only=True)
class JournalFilter:
    """What a message must be like; None or empty where it does not matter."""

    actors: tuple[str, ...] = ()
    """One of these sent or received it: paths or patterns; a path includes what is below it."""
    types: tuple[str, ...] = ()
    """It is of one of these classes, by name, with or without its module; or patterns."""
    outcomes: tuple[str, ...] = ()
    """handled, failed, dead, unfinished, or why it is dead."""
    since: datetime | None = None
    """It was accepted then or later."""
    until: datetime | None = None
    """It was accepted before."""

    def matches(self, life: Life) -> bool:
        """Return whether the message is to be shown."""
        return (
            (not self.actors or self._has_actor(life))
            and (not self.types or self._has_type(life))
            and (not self.outcomes or self._has_outcome(life))
            and self._is_in_time(life)
        )

    def _has_actor(self, life: Life) -> bool:
        paths = (life.accepted.recipient, life.accepted.sender)
        return any(
            path is not None and (fnmatchcase(path, wanted) or path.startswith(f"{wanted}/"))
            for path in paths
            for wanted in self.actors
        )

    def _has_type(self, life: Life) -> bool:
        name = life.accepted.message
        names = (name, name.rpartition(".")[2])
        return any(fnmatchcase(one, wanted) for one in names for wanted in self.types)

    def _has_outcome(self, life: Life) -> bool:
        reason = None if life.ended is None else life.ended.reason
        return life.outcome in self.outcomes or reason in self.outcomes

    def _is_in_time(self, life: Life) -> bool:
        seconds = life.accepted.time / 1e9
        return (self.since is None or seconds >= self.since.timestamp()) and (
            self.until is None or seconds < self.until.timestamp()
        )
