"""Answering: what an actor needs of an agent."""

from collections.abc import Iterable
from typing import Any, Protocol

from typing_extensions import Unpack

from callboard.agents.answer import Answer
from callboard.agents.run_options import RunOptions
from callboard.backends.messages import MessageLike


class Answering(Protocol):
    """Whatever answers prompts under a name; `Agent` does."""

    @property
    def name(self) -> str:
        """Who it is."""
        ...

    async def run(
        self,
        prompt: MessageLike | Iterable[MessageLike],
        *,
        output: Any = None,
        **options: Unpack[RunOptions],
    ) -> Answer[Any]:
        """Answer one prompt; see `Agent.run`."""
        ...
