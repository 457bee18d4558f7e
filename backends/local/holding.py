"""How much of a text's end must wait, because a marker may begin there."""

from collections.abc import Iterable


def held_back(text: str, markers: Iterable[str]) -> int:
    """Return the length of the longest end of the text that is a true beginning of some marker.

    Args:
        text: What has arrived.
        markers: What may be arriving; none of them is in the text as a whole.
    """
    return max((_overlap(text, marker) for marker in markers), default=0)


def _overlap(text: str, marker: str) -> int:
    longest = min(len(text), len(marker) - 1)
    return next((n for n in range(longest, 0, -1) if text.endswith(marker[:n])), 0)
