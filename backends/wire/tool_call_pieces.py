"""Puts tool calls together that arrive in pieces."""

from dataclasses import dataclass
from dataclasses import field as data_field
from typing import Any

from callboard.backends.delta import Delta
from callboard.backends.messages import ToolCall
from callboard.backends.wire.foreign import as_json_text, field, text
from callboard.backends.wire.tool_call_reading import distinct, made_id


@dataclass(slots=True)
class _Call:
    id: str | None = None
    name: str | None = None
    arguments: list[str] = data_field(default_factory=list[str])


class ToolCallPieces:
    """The tool calls of one streamed answer, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []
        self._by_index: dict[int, int] = {}

    def add(self, piece: Any) -> Delta:
        """Take one entry of a delta's `tool_calls`.

        Servers forget the index, or give each call the same one: a piece with an id or a name of
        its own then begins a new call, any other continues the last.
        """
        function = field(piece, "function")
        call_id = text(field(piece, "id")) or None
        name = text(field(function, "name")) or None
        position = self._position(field(piece, "index"), call_id, name)
        call = self._calls[position]
        call.id = call.id or call_id
        call.name = call.name or name
        words = as_json_text(field(function, "arguments"))
        call.arguments.append(words)
        return Delta(kind="tool_call", text=words, index=position, call_id=call.id, name=call.name)

    def finished(self, answer_id: str | None) -> tuple[ToolCall, ...]:
        """Return the calls as far as they have come; missing ids are made from the answer's."""
        calls = [
            ToolCall(
                id=call.id or made_id(answer_id, position),
                name=call.name or "",
                arguments="".join(call.arguments),
            )
            for position, call in enumerate(self._calls)
        ]
        return distinct(calls, answer_id)

    def _position(self, index: Any, call_id: str | None, name: str | None) -> int:
        indexed = type(index) is int
        known = self._by_index.get(index) if indexed else self._named_or_last(call_id)
        if known is not None and not _begins(self._calls[known], call_id, name, indexed=indexed):
            return known
        self._calls.append(_Call())
        position = len(self._calls) - 1
        if indexed:
            self._by_index[index] = position
        return position

    def _named_or_last(self, call_id: str | None) -> int | None:
        for position, call in enumerate(self._calls):
            if call_id is not None and call.id == call_id:
                return position
        return len(self._calls) - 1 if self._calls else None


def _begins(call: _Call, call_id: str | None, name: str | None, *, indexed: bool) -> bool:
    """Decide whether a piece begins another call rather than continuing this one."""
    if call_id is not None and call.id is not None and call_id != call.id:
        # Some servers make up a fresh id for every piece, but name the tool only once.
        return name is not None or not indexed
    return not indexed and call_id is None and name is not None and call.name is not None
