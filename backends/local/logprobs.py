"""Writes the log-probabilities of an answer the way the chat API words them."""

from collections.abc import Callable, Sequence
from typing import Any

from callboard.backends.local.detokenizer import HALF
from callboard.backends.local.sampler import Drawn, Likely


def write_logprobs(
    drawn: Sequence[Drawn], decode: Callable[[Sequence[int]], str]
) -> dict[str, Any]:
    """Return the chat API's `logprobs` object.

    Args:
        drawn: The tokens of the answer.
        decode: The tokenizer's own decoding.
    """
    return {"content": [_entry(token, decode) for token in drawn]}


def _entry(drawn: Drawn, decode: Callable[[Sequence[int]], str]) -> dict[str, Any]:
    alternatives = [_likely(other, decode) for other in drawn.alternatives]
    return {**_likely(drawn, decode), "top_logprobs": alternatives}


def _likely(likely: Likely, decode: Callable[[Sequence[int]], str]) -> dict[str, Any]:
    text = decode([likely.token])
    # Half a character has bytes, but its text no longer tells which.
    known = None if HALF in text else list(text.encode())
    return {"token": text, "logprob": likely.logprob, "bytes": known}
