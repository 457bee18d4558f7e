"""Identity: under which name and model a backend appears in traces, logs and counts."""

from dataclasses import dataclass

from callboard.backends.backend import Backend
from callboard.backends.stack import Stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What to call a backend where people look: in spans, log lines and usage tables."""

    provider: str
    """For example `openai`, as the GenAI conventions name providers."""
    model: str = ""
    """The model that is asked for, empty where the backend has none."""
    in_process: bool = False
    """Whether the model runs in this process, so that its spans are no client's."""


def identify(backend: Backend) -> Identity:
    """Read a backend's identity from its attributes `name`, `model` and `in_process`.

    All three are optional; a backend without a name goes by its class. A stack is what is inside.
    """
    while isinstance(backend, Stack):
        backend = backend.backend
    name = getattr(backend, "name", None)
    model = getattr(backend, "model", None)
    return Identity(
        provider=name if isinstance(name, str) else type(backend).__name__,
        model=model if isinstance(model, str) else "",
        in_process=getattr(backend, "in_process", False) is True,
    )
