"""Addresses: the serialisable identity of an actor."""

from dataclasses import dataclass

_SCHEME = "callboard://"


@dataclass(frozen=True, slots=True)
class Address:
    """Names one actor of one runtime; a value that compares, hashes and pickles.

    An address outlives restarts of its actor, and the actor itself: what is sent to the address of
    a stopped actor becomes a dead letter.
    """

    runtime: str
    """Name of the Runtime that the actor lives in."""
    path: str
    """Names from the top-level actor down, joined by "/", for example "market/trader-3"."""

    @property
    def name(self) -> str:
        """The actor's own name: the last part of the path."""
        return self.path.rpartition("/")[2]

    @property
    def uri(self) -> str:
        """The whole address as text, `callboard://runtime/path`; `parse` reads it back."""
        return f"{_SCHEME}{self.runtime}/{self.path}"

    @classmethod
    def parse(cls, uri: str) -> "Address":
        """Read an address from its `uri`.

        Raises:
            ValueError: If the text is not `callboard://runtime/path`.
        """
        runtime, slash, path = uri.removeprefix(_SCHEME).partition("/")
        if not (uri.startswith(_SCHEME) and runtime and slash and path):
            raise ValueError(f"an address looks like callboard://runtime/path, got {uri!r}")
        return cls(runtime, path)

    def __str__(self) -> str:
        return self.path


def check_name(name: str) -> str:
    """Return the name if it can be one part of a path.

    Raises:
        ValueError: If it is empty or contains a slash.
    """
    if not name or "/" in name:
        raise ValueError(f"an actor's name must be non-empty and without '/', got {name!r}")
    return name
