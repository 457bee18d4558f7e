"""Messages in the history: the runtime's observer is told of each of them."""

from collections.abc import Callable
from typing import Any

from callboard.runtime.envelope import Envelope
from callboard.runtime.kernel import Kernel
from callboard.runtime.observer import Observer
from callboard.runtime.simulation.history import History, lane_of_task
from callboard.runtime.simulation.loop import SimulationLoop
from callboard.runtime.simulation.substitution import Substitution


class MessageRecorder:
    """Notes each message's life in the history, and passes it on to the runtime's own observer."""

    def __init__(self, history: History, inner: Observer | None) -> None:
        self._history = history
        self._inner = inner

    def sent(self, envelope: Envelope) -> None:
        """A message was sent."""
        sender = lane_of_task() if envelope.sender is None else envelope.sender.address.path
        self._history.note("sent", sender, self._text(envelope), envelope.recipient.address.path)
        if self._inner is not None:
            self._inner.sent(envelope)

    def begin(self, envelope: Envelope) -> None:
        """Its handler begins."""
        self._history.note("begins", envelope.recipient.address.path, self._text(envelope))
        if self._inner is not None:
            self._inner.begin(envelope)

    def end(self, envelope: Envelope, outcome: str, error: BaseException | None = None) -> None:
        """It has come to an end."""
        cause = "" if error is None else f", {type(error).__name__}"
        text = f"{self._text(envelope)}: {outcome}{cause}"
        self._history.note("ends", envelope.recipient.address.path, text)
        if self._inner is not None:
            self._inner.end(envelope, outcome, error)

    def _text(self, envelope: Envelope) -> str:
        return f"{envelope.kind} {envelope.type_name}"


def message_substitutions() -> list[Substitution]:
    """Return the stand-in that gives each runtime a recorder, where a history is kept."""
    return [Substitution(owner=Kernel, name="__init__", serve=_with_recorder)]


def _with_recorder(
    loop: SimulationLoop,
    original: Callable[..., None],
    kernel: Kernel,
    /,
    *args: Any,
    tracer: Observer | None = None,
    **rest: Any,
) -> None:
    if isinstance(loop.observer, History):
        tracer = MessageRecorder(loop.observer, tracer)
    original(kernel, *args, tracer=tracer, **rest)
