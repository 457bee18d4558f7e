"""One writer at a time: a lock that dies with its process."""

import os
import sys
from pathlib import Path

from callboard.runtime.journal.errors import JournalLockedError


class Lock:
    """The exclusive right to write a journal.

    Raises:
        JournalLockedError: Somebody else has it.
    """

    def __init__(self, folder: Path) -> None:
        self._file = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(self._file)
        except OSError:
            os.close(self._file)
            raise JournalLockedError(folder) from None

    def release(self) -> None:
        """Let others write."""
        os.close(self._file)


def _lock(file: int) -> None:
    if sys.platform == "win32":
        import msvcrt  # noqa: PLC0415  Windows alone has it

        msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl  # noqa: PLC0415  Windows lacks it

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
