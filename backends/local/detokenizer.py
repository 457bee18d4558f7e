"""Detokenizer: turns token ids into text one by one, whole characters only."""

from collections.abc import Callable, Sequence

HALF = "\ufffd"
"""What decoders put in the place of bytes that are no whole character, or not yet."""


class Detokenizer:
    """Decodes a growing answer.

    A token may end in the middle of a character, and what a token reads as may depend on the one
    before it. So each piece is the difference between two decodings of a short window, and text
    that ends in half a character waits for the rest of it. The pieces together, `flush` included,
    are what decoding the whole answer at once gives.

    Args:
        decode: The tokenizer's own decoding of a sequence of ids.
        hidden: Ids that leave no trace in the text: the special tokens.
    """

    def __init__(self, decode: Callable[[Sequence[int]], str], hidden: frozenset[int]) -> None:
        self._decode = decode
        self._hidden = hidden
        self._window: list[int] = []
        self._told = 0
        """How many ids of the window have been told already; they give the rest its context."""

    def push(self, token: int) -> str:
        """Return the text that this token adds, as far as it is certain."""
        if token in self._hidden:
            return ""
        self._window.append(token)
        piece = self._untold()
        if not piece or piece.endswith(HALF):
            return ""
        self._window = self._window[self._told :]
        self._told = len(self._window)
        return piece

    def flush(self) -> str:
        """Return what was held back, half characters and all: nothing follows."""
        piece = self._untold()
        self._window, self._told = [], 0
        return piece

    def _untold(self) -> str:
        context = self._decode(self._window[: self._told])
        return self._decode(self._window)[len(context) :]
