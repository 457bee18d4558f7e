"""Markup: splits what a model writes into its thinking, its tool calls and its answer."""

from collections.abc import Iterator
from dataclasses import dataclass

from callboard.backends.local.holding import held_back
from callboard.backends.local.tool_calls import WrittenCall, read_call

THINK, THINK_END = "<think>", "</think>"
CALL, CALL_END = "<tool_call>", "</tool_call>"
TAGS = (THINK, THINK_END, CALL, CALL_END)


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """A stretch of one kind: text, reasoning, or one whole tool call."""

    text: str = ""
    reasoning: str = ""
    call: WrittenCall | None = None


class Markup:
    """Splits a growing text at its tags, wherever the pieces are cut; never raises.

    A tool call comes whole, once it is closed or the text ends. What stands between its tags and
    is no call stays text, tags included, so that nothing the model wrote is lost.

    Args:
        thinking: Whether `<think>` marks reasoning here.
        calling: Whether `<tool_call>` marks tool calls here.
        inside: Whether the prompt opened the thinking already.
    """

    def __init__(self, *, thinking: bool, calling: bool, inside: bool = False) -> None:
        self._openers = ((THINK,) if thinking else ()) + ((CALL,) if calling else ())
        self._open = THINK if thinking and inside else ""
        self._held: str = ""
        self._trim = False
        """Whether blank space is to be dropped: the line breaks after a tag."""

    @property
    def thinking(self) -> bool:
        """Whether what comes now is reasoning."""
        return self._open == THINK

    def push(self, text: str) -> list[Piece]:
        """Return the pieces that are certain by now."""
        self._held += text
        return list(self._certain())

    def flush(self) -> list[Piece]:
        """Return what was held back: nothing follows."""
        held, self._held = self._held, ""
        if self._open == CALL:
            call = read_call(held)
            return [Piece(call=call) if call else Piece(text=CALL + held)]
        return list(self._plain(held))

    def _certain(self) -> Iterator[Piece]:
        while tag := self._next_tag():
            body, _, self._held = self._held.partition(tag)
            yield from self._closed(body) if self._open == CALL else self._plain(body)
            self._trim = tag != CALL
            self._open = tag if tag in self._openers else ""
        if self._open != CALL:
            keep = len(self._held) - held_back(self._held, self._ends())
            body, self._held = self._held[:keep], self._held[keep:]
            yield from self._plain(body)

    def _next_tag(self) -> str:
        places = {place: tag for tag in self._ends() if (place := self._held.find(tag)) >= 0}
        return places[min(places)] if places else ""

    def _ends(self) -> tuple[str, ...]:
        if self._open:
            return (THINK_END,) if self._open == THINK else (CALL_END,)
        return self._openers

    def _closed(self, body: str) -> Iterator[Piece]:
        call = read_call(body)
        yield Piece(call=call) if call else Piece(text=CALL + body + CALL_END)

    def _plain(self, body: str) -> Iterator[Piece]:
        if self._trim:
            body = body.lstrip()
            self._trim = not body
        if body:
            yield Piece(reasoning=body) if self._open == THINK else Piece(text=body)
