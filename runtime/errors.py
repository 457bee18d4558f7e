"""The errors of the actor runtime, one tree.

    ActorError
    ├── HandlerError             a handler raised; the cause is kept
    ├── AskTimeoutError          (TimeoutError) no reply before the deadline
    ├── AskCycleError            the ask would wait for itself
    ├── MailboxFullError         no room, and the overflow policy or the wait said no
    ├── ActorStoppedError        the actor is gone or going
    ├── ActorRestartedError      a restart interrupted the handler
    ├── UnhandledMessageError    (TypeError) the actor has no handler for the message
    ├── JournalRefusedError      the journal can't keep the message, so it was not sent
    ├── JournalTimeoutError      (TimeoutError) sent, but not on the disk in time
    ├── ForkedError              (RuntimeError) the runtime lives in another process
    ├── NameTakenError           (ValueError) a living sibling has the name
    └── EscalatedError           restarts were used up; the failure goes to the parent

Each carries its values as fields, says what to do next, and pickles.
"""

from collections.abc import Sequence
from typing import Any

from callboard.ambient.redaction import redact
from callboard.runtime.address import Address

_HANDLER_ADVICE = (
    ". See .cause; name the exception in the actor's reply_errors if it is an answer rather than "
    "a crash"
)


def _revive(kind: "type[ActorError]", args: tuple[Any, ...], state: dict[str, Any]) -> "ActorError":
    error = kind.__new__(kind, *args)
    super(ActorError, error).__init__(*args)
    error.__dict__.update(state)
    return error


class ActorError(Exception):
    """Base of every error that the runtime itself raises."""

    def __reduce__(self) -> tuple[Any, ...]:
        return (_revive, (type(self), self.args, dict(self.__dict__)))


class HandlerError(ActorError):
    """The handler of an ask raised; the actor's supervision has been told.

    Args:
        address: The actor whose handler raised.
        message_type: Name of the message's class.
        cause: The exception itself, also `__cause__`.
    """

    def __init__(self, address: Address, message_type: str, cause: BaseException) -> None:
        said = redact(str(cause)).removesuffix(_HANDLER_ADVICE)  # once is enough along a chain
        super().__init__(
            f"the handler for {message_type} in actor {str(address)!r} raised "
            f"{type(cause).__name__}: {said}{_HANDLER_ADVICE}"
        )
        self.address = address
        self.message_type = message_type
        self.cause = cause
        self.__cause__ = cause


class AskTimeoutError(ActorError, TimeoutError):
    """No reply came before the deadline of the ask.

    Args:
        address: The actor that was asked.
        message_type: Name of the message's class.
        timeout: Seconds that the ask was given in all.
        state: Where the message was at that moment: "queued", "handling", "unsent" (the ambient
            deadline had passed before it was sent), "unsynced" (handled, but the journal did not
            get that onto the disk) or "unknown".
    """

    def __init__(self, address: Address, message_type: str, timeout: float, state: str) -> None:
        super().__init__(
            f"no reply from actor {str(address)!r} to {message_type} within {timeout:.3g} s "
            f"(the message was {state}). Pass a longer timeout, set "
            f"{message_type}.default_timeout, or look at what keeps the actor busy"
        )
        self.address = address
        self.message_type = message_type
        self.timeout = timeout
        self.state = state


class AskCycleError(ActorError):
    """The ask, or blocked send, would close a cycle of actors that wait for one another.

    Args:
        path: The actors in waiting order; the first one is also the last.
        message_type: Name of the message that would have closed the cycle.
    """

    def __init__(self, path: Sequence[Address], message_type: str) -> None:
        arrows = " -> ".join(map(str, path))
        super().__init__(
            f"sending {message_type} would wait for itself: {arrows}. Use tell, reply first and "
            f"ask later, or declare the handler @{message_type}.handler(reentrant=True)"
        )
        self.path = tuple(path)
        self.message_type = message_type


class MailboxFullError(ActorError):
    """The mailbox has no room for the message, which was not accepted or was dropped.

    Args:
        address: The actor whose mailbox is full.
        message_type: Name of the message's class.
        capacity: Messages that the mailbox holds.
        overflow: Its overflow policy.
        waited: Seconds that the sender waited for room.
    """

    def __init__(
        self, address: Address, message_type: str, capacity: int, overflow: str, waited: float = 0.0
    ) -> None:
        waiting = f" after {waited:.3g} s of waiting" if waited else ""
        super().__init__(
            f"the mailbox of actor {str(address)!r} is full{waiting} ({capacity} messages, "
            f"overflow {overflow!r}); {message_type} was not delivered. Slow down, ask instead of "
            "tell, or spawn it with MailboxOptions(capacity=...)"
        )
        self.address = address
        self.message_type = message_type
        self.capacity = capacity
        self.overflow = overflow
        self.waited = waited


class ActorStoppedError(ActorError):
    """The actor has stopped, or stopped before it could reply.

    Args:
        address: The actor that was addressed.
        message_type: Name of the message's class, None where no message was involved.
    """

    def __init__(self, address: Address, message_type: str | None = None) -> None:
        what = f"; {message_type} got no reply" if message_type else ""
        super().__init__(
            f"actor {str(address)!r} has stopped{what}. Watch it to learn of its end, or spawn "
            "it anew"
        )
        self.address = address
        self.message_type = message_type


class ActorRestartedError(ActorError):
    """A restart interrupted the handler; the message is not delivered again.

    Args:
        address: The actor that restarted.
        message_type: Name of the message's class.
    """

    def __init__(self, address: Address, message_type: str) -> None:
        super().__init__(
            f"actor {str(address)!r} restarted while it handled {message_type}; the message may "
            "have had some effect and is not delivered again. Ask again if it is safe to repeat"
        )
        self.address = address
        self.message_type = message_type


class UnhandledMessageError(ActorError, TypeError):
    """The actor has no handler for this message.

    Args:
        address: The actor that was addressed.
        message_type: Name of the message's class.
        handled: Names of the message classes that it does handle.
    """

    def __init__(self, address: Address, message_type: str, handled: Sequence[str]) -> None:
        super().__init__(
            f"actor {str(address)!r} has no handler for {message_type}; it handles "
            f"{', '.join(handled) or 'nothing'}. Decorate a method with @{message_type}.handler"
        )
        self.address = address
        self.message_type = message_type
        self.handled = tuple(handled)


class JournalRefusedError(ActorError):
    """The journal can't keep the message, which therefore was not sent.

    Args:
        message_type: Name of the message's class.
        problem: What is wrong with it, and what to do.
    """

    def __init__(self, message_type: str, problem: str) -> None:
        super().__init__(
            f"{message_type} was not sent, because the journal can't keep it: {problem}"
        )
        self.message_type = message_type
        self.problem = problem


class JournalTimeoutError(ActorError, TimeoutError):
    """The message was accepted and will be handled, but was not on the disk in time.

    Args:
        message_type: Name of the message's class.
        timeout: Seconds that were waited.
    """

    def __init__(self, message_type: str, timeout: float) -> None:
        super().__init__(
            f"{message_type} was accepted, but the journal did not get it onto the disk within "
            f"{timeout:.3g} s; if the machine fails now it may be lost. Do not send it again: it "
            "will be handled. Look at what slows the disk down, or pass a longer timeout"
        )
        self.message_type = message_type
        self.timeout = timeout


class ForkedError(ActorError, RuntimeError):
    """The runtime lives in the process that this one was forked from.

    Args:
        runtime: Name of the runtime.
        parent: Process id of the process that it lives in.
        child: Process id of this process.
    """

    def __init__(self, runtime: str, parent: int, child: int) -> None:
        super().__init__(
            f"runtime {runtime!r} lives in process {parent}, and this is process {child}, forked "
            "from it: its event loop does not run here. Start a Runtime of its own in the child, "
            "or start the child with the method 'spawn'"
        )
        self.runtime = runtime
        self.parent = parent
        self.child = child


class NameTakenError(ActorError, ValueError):
    """A living actor with the same parent already has this name.

    Args:
        address: The address that is taken.
    """

    def __init__(self, address: Address) -> None:
        super().__init__(
            f"an actor named {str(address)!r} is alive. Stop it first, choose another name, or "
            "leave the name out and get a fresh one"
        )
        self.address = address


class EscalatedError(ActorError):
    """An actor failed more often than its supervision allows, so its parent fails in turn.

    Args:
        address: The actor that kept failing.
        failures: Failures inside the period, the last one included.
        period: Seconds that they fell into.
        cause: The last failure, also `__cause__`.
    """

    def __init__(
        self, address: Address, failures: int, period: float, cause: BaseException
    ) -> None:
        super().__init__(
            f"actor {str(address)!r} failed {failures} times within {period:g} s, the last time "
            f"with {type(cause).__name__}: {redact(str(cause))}. Mend the cause (.cause), "
            "allow more with Supervision(max_restarts=...), or spawn it with restart='temporary'"
        )
        self.address = address
        self.failures = failures
        self.period = period
        self.cause = cause
        self.__cause__ = cause
