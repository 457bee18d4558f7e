"""Conversation: a history that grows by whole turns."""

import json
import threading
import uuid
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from callboard.agents.errors import ConversationBusyError, ToolResultsMissingError
from callboard.agents.exchange import Messages, split, unanswered, window_of
from callboard.agents.message_dicts import to_dict
from callboard.backends.message_reading import to_messages
from callboard.backends.messages import ChatMessage, MessageLike

FORMAT = "callboard.conversation/1"
"""Stands in every saved file; files of this version stay readable for ever."""


class Conversation:
    """A history that grows by whole turns: the prompt, the tool calls and results, the answer.

    A turn that fails or is cancelled leaves it exactly as it was. One turn at a time: a second one
    is refused with ConversationBusyError, from whichever task, loop or thread it comes. It belongs
    to no agent (instructions are not part of it), so that another agent may take over.

    Args:
        messages: The history so far, in every form that messages take.
        id: Names the conversation in traces and to an actor; a random one when None.
        window: How many of the last exchanges the model sees; None shows it all of them. The
            history itself is never shortened.

    Raises:
        ValueError: If a message can't be read, or the window is less than one.
    """

    def __init__(
        self,
        messages: MessageLike | Iterable[MessageLike] = (),
        *,
        id: str | None = None,  # noqa: A002 - what everybody calls it
        window: int | None = None,
    ) -> None:
        if window is not None and window < 1:
            raise ValueError(f"window counts exchanges and is at least 1, got {window!r}")
        self.id = uuid.uuid4().hex[:12] if id is None else id
        """Names the conversation."""
        self.window = window
        """How many of the last exchanges the model sees; None for all."""
        self._messages = to_messages(messages)
        self._turn = threading.Lock()

    @property
    def messages(self) -> Messages:
        """The whole history, oldest first."""
        return self._messages

    @property
    def exchanges(self) -> tuple[Messages, ...]:
        """The history, cut where the user speaks."""
        return split(self._messages)

    @property
    def busy(self) -> bool:
        """Whether a turn is under way."""
        return self._turn.locked()

    def context(self, said: Sequence[ChatMessage] = ()) -> Messages:
        """Return what the model is to see when this is said next: the window, then the prompt.

        Raises:
            ToolResultsMissingError: If tool calls wait for results that the prompt lacks.
        """
        missing = unanswered((*self._messages, *said))
        if said and missing:
            raise ToolResultsMissingError(self.id, missing)
        return (*window_of(self._messages, self.window), *said)

    @contextmanager
    def turn(self) -> Generator[None]:
        """Hold the conversation for one turn, which ends with `extend` or leaves no mark.

        Raises:
            ConversationBusyError: If another turn is under way.
        """
        if not self._turn.acquire(blocking=False):
            raise ConversationBusyError(self.id)
        try:
            yield
        finally:
            self._turn.release()

    def extend(self, messages: MessageLike | Iterable[MessageLike]) -> None:
        """Add whole turns to the end, in one step.

        Raises:
            ValueError: If a message can't be read; nothing is added then.
        """
        self._messages = (*self._messages, *to_messages(messages))

    def clear(self) -> None:
        """Forget everything that was said.

        Raises:
            ConversationBusyError: If a turn is under way.
        """
        with self.turn():
            self._messages = ()

    def fork(self, id: str | None = None) -> "Conversation":  # noqa: A002 - as above
        """Return a conversation of its own with the same history, also during a turn.

        Args:
            id: The fork's name; a random one when None.
        """
        return Conversation(self._messages, id=id, window=self.window)

    def to_dict(self) -> dict[str, Any]:
        """Return the conversation as plain data, its messages as OpenAI-style dicts."""
        return {
            "format": FORMAT,
            "id": self.id,
            "window": self.window,
            "messages": [to_dict(message) for message in self._messages],
        }

    @classmethod
    def from_dict(cls, data: Any) -> "Conversation":
        """Read what `to_dict` wrote, or a plain list of OpenAI-style messages.

        Raises:
            ValueError: If it is neither, or a message can't be read.
        """
        if isinstance(data, list):
            return cls(cast("list[MessageLike]", data))
        if not isinstance(data, Mapping) or cast("Mapping[str, Any]", data).get("format") != FORMAT:
            raise ValueError(f"expected a list of messages, or an object of format {FORMAT!r}")
        fields = cast("Mapping[str, Any]", data)
        return cls(fields["messages"], id=fields["id"], window=fields.get("window"))

    def save(self, path: str | Path) -> None:
        """Write the conversation to a JSON file, replacing it only when all is written.

        Raises:
            OSError: If the file can't be written.
        """
        target = Path(path)
        draft = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        try:
            draft.write_text(
                json.dumps(self.to_dict(), indent=2, ensure_ascii=False) + "\n", "utf-8"
            )
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)

    @classmethod
    def load(cls, path: str | Path) -> "Conversation":
        """Read a conversation from a JSON file: a saved one, or a list of OpenAI-style messages.

        Raises:
            OSError: If the file can't be read.
            ValueError: If it holds no conversation.
        """
        try:
            return cls.from_dict(json.loads(Path(path).read_text("utf-8")))
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise ValueError(f"{path} holds no conversation: {error!r}") from error

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[ChatMessage]:
        return iter(self._messages)

    def __bool__(self) -> bool:
        # An empty conversation is still a conversation: `conversation or default` must keep it.
        return True

    def __copy__(self) -> "Conversation":
        return self.fork()

    def __reduce__(self) -> tuple[object, ...]:
        return Conversation.from_dict, (self.to_dict(),)

    def __repr__(self) -> str:
        return f"<Conversation {self.id} of {len(self)} messages{', busy' * self.busy}>"
