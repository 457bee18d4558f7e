"""StopStrings: ends a growing text before the first stop string, and lets none of it through."""

from collections.abc import Sequence

from callboard.backends.local.holding import held_back


class StopStrings:
    """Lets text through up to the first stop string, wherever the pieces are cut.

    Args:
        stops: The strings; empty ones are ignored.
    """

    def __init__(self, stops: Sequence[str]) -> None:
        self._stops = tuple(filter(None, stops))
        self._held: str = ""
        self.found = False
        """Whether a stop string has come: nothing passes any more."""

    def push(self, text: str) -> str:
        """Return what is certain not to belong to a stop string."""
        if self.found or not self._stops:
            return "" if self.found else text
        text = self._held + text
        places = [place for stop in self._stops if (place := text.find(stop)) >= 0]
        if places:
            self.found, self._held = True, ""
            return text[: min(places)]
        keep = len(text) - held_back(text, self._stops)
        self._held = text[keep:]
        return text[:keep]

    def flush(self) -> str:
        """Return what was held back: no stop string came of it."""
        held, self._held = self._held, ""
        return held
