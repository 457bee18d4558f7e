"""RunOptions: what one run may change about its agent."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from typing_extensions import TypedDict

from callboard.agents.conversation import Conversation
from callboard.backends.sampling import SamplingParams
from callboard.backends.tool import Tool


class RunOptions(TypedDict, total=False):
    """The keyword arguments of `run`, `stream` and `run_sync`, besides `output`."""

    conversation: Conversation | None
    """Goes on with it, and adds the turn to it; without one the run stands alone."""
    tools: Iterable[Tool | Callable[..., Any]] | None
    """Instead of the agent's own; an empty list means none at all."""
    sampling: SamplingParams | None
    """Over the agent's own, field by field."""
    metadata: Mapping[str, Any] | None
    """Notes for the traces, over the agent's own; `caller` is the agent's name unless given."""
    timeout: float | None
    """Seconds for the whole run, tools and retries included, instead of the agent's own."""
