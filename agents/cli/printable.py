"""Makes foreign text fit for a terminal."""

_HIDDEN = {code: None for code in (*range(32), *range(127, 160)) if chr(code) not in "\n\t"}


def printable(text: str) -> str:
    """Return foreign text without control characters, which could steer the user's terminal."""
    return text.translate(_HIDDEN)


def one_line(text: str) -> str:
    """Return foreign text in one printable line."""
    return printable(" ".join(text.split()))
