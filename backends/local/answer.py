"""Answer: one completion while it grows, token by token."""

from collections.abc import Callable, Iterable
from dataclasses import replace

from callboard.backends.completion import FinishReason
from callboard.backends.delta import Delta
from callboard.backends.local.detokenizer import Detokenizer
from callboard.backends.local.markup import Markup, Piece
from callboard.backends.local.sampler import Drawn
from callboard.backends.local.stop_strings import StopStrings
from callboard.backends.messages import AssistantMessage, ToolCall


class Answer:
    """Takes tokens, and gives text, reasoning and tool calls as soon as they are certain.

    What was given in pieces and what stands in `message` at the end are the same.

    Args:
        detokenizer: Turns tokens into text.
        stops: Ends the text.
        markup: Splits it.
        end_ids: The tokens that end it.
        first_call: The number in the id of the first tool call; ids are unique in a conversation.
        tell: Receives each piece; None if nobody watches.
    """

    def __init__(
        self,
        detokenizer: Detokenizer,
        stops: StopStrings,
        markup: Markup,
        *,
        end_ids: frozenset[int],
        first_call: int,
        tell: Callable[[Delta], None] | None,
    ) -> None:
        self._detokenizer = detokenizer
        self._stops = stops
        self._markup = markup
        self._end_ids = end_ids
        self._first_call = first_call
        self._tell = tell
        self._message: AssistantMessage = AssistantMessage()
        self.drawn: list[Drawn] = []
        """Every token, the one that ended the answer included."""
        self.reasoning_tokens = 0
        self.ended = False
        """Whether the model or a stop string has ended it."""

    def take(self, drawn: Drawn) -> None:
        """Add the next token."""
        self.drawn.append(drawn)
        if drawn.token in self._end_ids:
            self.ended = True
            return
        self.reasoning_tokens += self._markup.thinking
        self._read(self._detokenizer.push(drawn.token))

    def close(self) -> AssistantMessage:
        """Give out what was held back, and return the whole message."""
        self._read(self._detokenizer.flush())
        self._add(self._markup.push(self._stops.flush()))
        self._add(self._markup.flush())
        return self._whole()

    @property
    def finish_reason(self) -> FinishReason:
        """Why it ended. A call that the token limit cut short counts as cut short."""
        if not self.ended:
            return "length"
        return "tool_calls" if self._message.tool_calls else "stop"

    def _read(self, text: str) -> None:
        if text:
            self._add(self._markup.push(self._stops.push(text)))
            self.ended = self.ended or self._stops.found

    def _add(self, pieces: Iterable[Piece]) -> None:
        for piece in pieces:
            delta = self._grow(piece)
            if self._tell is not None:
                self._tell(delta)

    def _grow(self, piece: Piece) -> Delta:
        message = self._message
        if piece.call is not None:
            index = len(message.tool_calls)
            name, arguments = piece.call.name, piece.call.arguments
            call = ToolCall(id=f"call_{self._first_call + index}", name=name, arguments=arguments)
            self._message = replace(message, tool_calls=(*message.tool_calls, call))
            return Delta(kind="tool_call", text=arguments, index=index, call_id=call.id, name=name)
        if piece.reasoning:
            self._message = replace(message, reasoning=(message.reasoning or "") + piece.reasoning)
            return Delta(kind="reasoning", text=piece.reasoning)
        self._message = replace(message, content=(message.content or "") + piece.text)
        return Delta(kind="text", text=piece.text)

    def _whole(self) -> AssistantMessage:
        if self._message.content is None and not self._message.tool_calls:
            return replace(self._message, content="")
        return self._message
