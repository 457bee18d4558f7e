"""Finds the JSON in what a model wrote around it: its thinking, a code fence, a few kind words."""

from collections.abc import Iterator
from json import JSONDecoder

CANDIDATES = 32
"""Places where JSON might begin that are tried; a text with more is no answer."""

_FENCE = "```"
_DECODER = JSONDecoder()


def json_candidates(text: str, *, prose: bool) -> Iterator[str]:
    """Yield the pieces of a text that may be the JSON answer, the likeliest first.

    Args:
        text: What the model wrote.
        prose: Whether to look for JSON between words, too. Where the server was to enforce a
            schema, words around it mean that something is wrong, and are not passed over.
    """
    answer = _without_thinking(text).strip()
    yield answer
    if prose:
        yield from _fenced(answer)
        yield from _embedded(answer)
    elif answer.startswith(_FENCE):
        yield from _fenced(answer)


def _without_thinking(text: str) -> str:
    _, closed, answer = text.rpartition("</think>")
    if closed:
        return answer
    return "" if text.lstrip().startswith("<think>") else text


def _fenced(text: str) -> Iterator[str]:
    # Odd pieces stand inside a fence; their first line may name the language.
    for piece in text.split(_FENCE)[1:CANDIDATES:2]:
        first, _, rest = piece.partition("\n")
        yield rest if first.strip().isalnum() or not first.strip() else piece


def _embedded(text: str) -> Iterator[str]:
    place = 0
    for _ in range(CANDIDATES):
        starts = [found for bracket in "{[" if (found := text.find(bracket, place)) >= 0]
        if not starts:
            return
        place = min(starts)
        try:
            _, end = _DECODER.raw_decode(text, place)
        except (ValueError, RecursionError):
            place += 1
        else:
            yield text[place:end]
            place = end
