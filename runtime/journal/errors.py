"""The errors of journals.

    ActorError
    └── JournalError
        ├── JournalVersionError      another version of callboard has written it
        ├── CorruptedJournalError    (ValueError) it is damaged where it must not be
        ├── JournalLockedError       somebody else writes it
        ├── JournalWriteError        (OSError) the disk did not take it
        ├── JournalClosedError       it was closed, or never opened
        ├── MessageTypeError         (LookupError) no class for a recorded message
        ├── UpcastError              (ValueError) a recorded body does not fit today's class
        └── ReplayError              an actor failed on a message that it once handled

What a sender meets while messages are written, `JournalRefusedError` and `JournalTimeoutError`, is
in `callboard.runtime.errors`.
"""

from pathlib import Path

from callboard.runtime.errors import ActorError


class JournalError(ActorError):
    """Base of what can be wrong with a journal."""


class JournalVersionError(JournalError):
    """The segment has a format that this version of callboard does not know.

    Args:
        segment: The file.
        version: Its format.
        known: The newest format known here.
    """

    def __init__(self, segment: Path, version: int, known: int) -> None:
        super().__init__(
            f"{segment} has format {version}, and this callboard reads up to {known}: use the "
            "version that wrote it, or a newer one"
        )
        self.segment = segment
        self.version = version
        self.known = known


class CorruptedJournalError(JournalError, ValueError):
    """A segment is damaged, and not only at the very end of the last one.

    Args:
        segment: The file.
        offset: Bytes from its start to the first frame that is not whole.
        problem: What is wrong there.
    """

    def __init__(self, segment: Path, offset: int, problem: str) -> None:
        super().__init__(
            f"{segment} is damaged at byte {offset}: {problem}. This is no torn tail, so nothing "
            "was changed: restore the segment from a copy, or give up what follows by moving the "
            f"later segments away and running `truncate -s {offset} {segment.name}`"
        )
        self.segment = segment
        self.offset = offset
        self.problem = problem


class JournalLockedError(JournalError):
    """Another process, or another runtime of this one, writes the journal.

    Args:
        path: The journal's folder.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"the journal {path} is being written by somebody else: stop that process, or choose "
            "another folder. Reading needs no lock"
        )
        self.path = path


class JournalWriteError(JournalError, OSError):
    """The disk did not take what the journal wrote; what was not synced before counts as lost.

    Args:
        path: The journal's folder.
        cause: What the operating system said.
    """

    def __init__(self, path: Path, cause: OSError) -> None:
        super().__init__(
            f"could not write the journal {path}: {cause}. Nothing more is acknowledged; make room "
            "or mend the disk, and start again: the journal goes on after what was synced"
        )
        self.path = path
        self.cause = cause
        self.__cause__ = cause


class JournalClosedError(JournalError):
    """The journal is not open: it takes no more notes.

    Args:
        path: The journal's folder.
        problem: How that came about.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"the journal {path} {problem}. Give each Runtime a Journal of its own")
        self.path = path
        self.problem = problem


class MessageTypeError(JournalError, LookupError):
    """No class is known for a recorded message.

    Args:
        name: The class's qualified name when it was recorded.
    """

    def __init__(self, name: str) -> None:
        super().__init__(
            f"no message class {name!r} is loaded: import its module first (a journal never "
            "imports), name it in messages=[...], or say what it is called now with "
            "Upcasters.rename"
        )
        self.name = name


class UpcastError(JournalError, ValueError):
    """A recorded body does not fit the class of today.

    Args:
        name: The message's qualified name.
        version: The version of the body, after all upcasters that apply.
        wanted: The class's `schema_version`.
        problem: What is wrong.
    """

    def __init__(self, name: str, version: int, wanted: int, problem: str) -> None:
        super().__init__(
            f"a recorded {name} of version {version} is not one of version {wanted}: {problem}. "
            "Register an upcaster for that version, and raise schema_version with every change"
        )
        self.name = name
        self.version = version
        self.wanted = wanted
        self.problem = problem


class ReplayError(JournalError):
    """An actor failed in a replay on a message that it had handled when it was recorded.

    Args:
        sequence: The record of the message.
        message_type: Name of the message's class.
        cause: What it raised, also `__cause__`.
    """

    def __init__(self, sequence: int, message_type: str, cause: BaseException) -> None:
        super().__init__(
            f"replaying record {sequence}, {message_type} raised {type(cause).__name__}: {cause}. "
            "A handler must depend on its messages and its state alone to be replayed; "
            "until=... replays what came before"
        )
        self.sequence = sequence
        self.message_type = message_type
        self.cause = cause
        self.__cause__ = cause
